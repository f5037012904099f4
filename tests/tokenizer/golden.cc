#include "golden.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "formats/checkpoint.h"

namespace baleen::test {

std::optional<std::filesystem::path> golden_text_folder() {
  const std::filesystem::path folder = std::filesystem::path(BALEEN_SOURCE_DIR) / "../shared/golden/text";
  if (!std::filesystem::exists(folder)) return std::nullopt;
  return folder;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

json::Document read_json(const std::filesystem::path& path) {
  auto document = json::Document::parse(read_file(path), json::kFileLimits);
  if (!document) throw std::runtime_error(path.string() + ": " + document.error().message);
  return std::move(*document);
}

std::filesystem::path unpacked(const std::string& file) {
  const std::filesystem::path packed = *golden_text_folder() / file;
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / "baleen-test-vocabularies";
  std::filesystem::create_directories(folder);
  const std::filesystem::path target = folder / packed.stem();
  if (std::filesystem::exists(target)) return target;
  const std::filesystem::path part = target.string() + "." + std::to_string(getpid());
  const std::string command = "xz -dc '" + packed.string() + "' > '" + part.string() + "'";
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
  std::filesystem::rename(part, target);
  return target;
}

Tokenizer tokenizer_of(const std::filesystem::path& path) {
  if (path.extension() == ".json") {
    Vocabulary vocabulary;
    vocabulary.kind = VocabularyKind::tokenizer_json;
    vocabulary.tokenizer_json = read_file(path);
    auto tokenizer = Tokenizer::make(vocabulary);
    if (!tokenizer) throw std::runtime_error(tokenizer.error().message);
    return std::move(*tokenizer);
  }
  auto checkpoint = Checkpoint::open_vocabulary(path);
  if (!checkpoint) throw std::runtime_error(checkpoint.error().message);
  auto tokenizer = Tokenizer::make(checkpoint->vocabulary());
  if (!tokenizer) throw std::runtime_error(tokenizer.error().message);
  return std::move(*tokenizer);
}

std::vector<int32_t> ids_of(const json::Value& array) {
  std::vector<int32_t> ids;
  for (const auto& [key, value] : array) ids.push_back(static_cast<int32_t>(*value.integer()));
  return ids;
}

}  // namespace baleen::test

// bench_tokenizer TEXT VOCABULARY…: how fast each vocabulary (a GGUF file or a tokenizer.json) encodes 4 MiB of texts,
// in MiB a second of one core. The file TEXT, repeated, is the ordinary one; others are those that tokenizers dread.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "formats/checkpoint.h"
#include "tokenizer/tokenizer.h"

namespace baleen {
namespace {

constexpr size_t kBytes = size_t{4} << 20;
constexpr int kRuns = 5;  // of which the fastest counts

struct Text {
  const char* name;
  std::string text;
};

std::string repeated(std::string_view unit) {
  std::string text;
  text.reserve(kBytes + unit.size());
  while (text.size() < kBytes) text += unit;
  return text;
}

/// Units in an order that does not repeat.
std::string shuffled(std::span<const std::string_view> units) {
  std::string text;
  text.reserve(kBytes + 64);
  uint32_t random = 1;
  while (text.size() < kBytes) {
    random = random * 1664525 + 1013904223;  // Numerical Recipes' generator
    text += units[(random >> 8) % units.size()];
  }
  return text;
}

constexpr std::string_view kEmoji[] = {"😀",          "👍🏽", "👨‍👩‍👧‍👦", "🐳", "🇯🇵", "❤️",
                                       "🧑‍💻", "🌈"};
constexpr std::string_view kLanguages[] = {"The quick brown fox. ",
                                           "Größe und Übermut, ",
                                           "чтобы говорить по-русски ",
                                           "日本語の文章です。",
                                           "这是一个中文句子，",
                                           "한국어 문장입니다. ",
                                           "العربية جميلة ",
                                           "हिन्दी में लिखा ",
                                           "ελληνικά γράμματα ",
                                           "שלום עולם ",
                                           "ภาษาไทยไม่มีช่องว่าง",
                                           "tiếng Việt đẹp ",
                                           "1234567 km, ",
                                           "naïve café… ",
                                           "🐳 "};
constexpr std::string_view kLetters[] = {"a", "b", "c", "e", "i", "n", "o", "q", "r", "s", "t", "x", "z"};
constexpr std::string_view kDigits[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
constexpr std::string_view kMarks[] = {"!", "=", "-", "{", "}", "/", "*", "#", "\"", ".", "(", ")"};
constexpr std::string_view kSpaces[] = {" ", "  ", "\n", "\t", "\u00A0", "\u3000", "\r\n"};

std::vector<Text> texts(std::string_view ordinary) {
  return {{"ordinary", repeated(ordinary)},    {"letter", repeated("a")},       {"spaces", repeated(" ")},
          {"newlines", repeated("\n")},        {"one emoji", repeated("😀")},   {"emoji", shuffled(kEmoji)},
          {"languages", shuffled(kLanguages)}, {"letters", shuffled(kLetters)}, {"digits", shuffled(kDigits)},
          {"marks", shuffled(kMarks)},         {"white", shuffled(kSpaces)},    {"one han", repeated("文")},
          {"combining", repeated("e\u0301")},  {"broken", repeated("\xF0\x9F")}};
}

double seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double mib_per_second(const Tokenizer& tokenizer, const std::string& text) {
  double best = 1e9;
  std::vector<int32_t> ids;
  for (int run = 0; run < kRuns; ++run) {
    ids.clear();
    const double start = seconds();
    tokenizer.encode_text(text, ids);
    best = std::min(best, seconds() - start);
  }
  return static_cast<double>(text.size()) / best / (1 << 20);
}

Result<Tokenizer> open(const std::filesystem::path& path) {
  if (path.extension() != ".json") {
    auto checkpoint = Checkpoint::open_vocabulary(path);
    return checkpoint ? Tokenizer::make(checkpoint->vocabulary()) : Result<Tokenizer>(error_of(checkpoint));
  }
  auto file = MappedFile::open(path);
  if (!file) return error_of(file);
  Vocabulary vocabulary;
  vocabulary.kind = VocabularyKind::tokenizer_json;
  vocabulary.tokenizer_json.assign(reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size());
  return Tokenizer::make(vocabulary);
}

int run(std::span<char* const> arguments) {
  if (arguments.size() < 2) return std::fputs("usage: bench_tokenizer TEXT VOCABULARY...\n", stderr), 2;
  const auto file = MappedFile::open(arguments[0]);
  if (!file) return std::fprintf(stderr, "error: %s\n", file.error().message.c_str()), 3;
  const std::vector<Text> all =
      texts({reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size()});
  std::printf("| MiB/s |");
  for (const Text& text : all) std::printf(" %s |", text.name);
  std::printf("\n|---|");
  for (size_t i = 0; i < all.size(); ++i) std::printf("---|");
  std::printf("\n");
  for (const char* path : arguments.subspan(1)) {
    const auto tokenizer = open(path);
    if (!tokenizer) return std::fprintf(stderr, "error: %s\n", tokenizer.error().message.c_str()), 3;
    std::printf("| %s |", std::filesystem::path(path).filename().c_str());
    for (const Text& text : all) std::printf(" %.0f |", mib_per_second(*tokenizer, text.text));
    std::printf("\n");
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace baleen

int main(int count, char** arguments) {
  return baleen::run(std::span(arguments, static_cast<size_t>(count)).subspan(1));
}

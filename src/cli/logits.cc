// baleen logits: the model's raw output after every token of a sequence.
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/mapped_file.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/model_options.h"
#include "cli/report.h"
#include "models/evaluator.h"

namespace baleen {
namespace {

struct LogitsOptions {
  ComputeOptions compute;
  std::string model, tokens, tokens_file, out;
};

Result<std::vector<int32_t>> parse_list(std::string_view text) {
  std::vector<int32_t> ids;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (true) {
    int32_t id = 0;
    const auto [next, error] = std::from_chars(at, end, id);
    if (error != std::errc()) return wrong_usage("--tokens: expected ids like 1,2,3");
    ids.push_back(id);
    if (next == end) return ids;
    if (*next != ',') return wrong_usage("--tokens: expected ids like 1,2,3");
    at = next + 1;
  }
}

Result<std::vector<int32_t>> read_array(const std::string& path) {
  auto file = MappedFile::open(path);
  if (!file) return error_of(file);
  const std::string_view text(reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size());
  auto document = json::Document::parse(text, json::kFileLimits);
  if (!document) return bad_input(path + ": " + document.error().message);
  if (document->root().kind() != json::Kind::array)
    return bad_input(path + ": expected an array of token ids");
  std::vector<int32_t> ids;
  for (const auto [key, value] : document->root()) {
    const auto id = value.integer();
    if (!id || *id < 0 || *id > INT32_MAX) return bad_input(path + ": expected an array of token ids");
    ids.push_back(static_cast<int32_t>(*id));
  }
  if (ids.empty()) return bad_input(path + ": no token ids");
  return ids;
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

Error write_error(const std::string& path) {
  return {ErrorKind::failed, path + ": cannot be written: " + std::strerror(errno)};
}

Result<void> write_logits(const LogitsOptions& options) {
  auto ids = options.tokens_file.empty() ? parse_list(options.tokens) : read_array(options.tokens_file);
  if (!ids) return error_of(ids);
  auto machine = Machine::make(options.compute);
  if (!machine) return error_of(machine);
  auto opened = open_model(options.model, *machine);
  if (!opened) return error_of(opened);
  const int32_t rows = opened->model->params().vocab_rows;
  for (const int32_t id : *ids)
    if (id < 0 || id >= rows)
      return wrong_usage("token id " + std::to_string(id) + " is outside the model's " +
                         std::to_string(rows));
  auto evaluator = Evaluator::make(*opened->model, machine->kv_type(), static_cast<int32_t>(ids->size()));
  if (!evaluator) return error_of(evaluator);
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(options.out.c_str(), "wb"));
  if (file == nullptr) return std::unexpected(write_error(options.out));
  bool written = true;
  evaluator->evaluate(*ids, [&](size_t, std::span<const float> logits) {
    written =
        written && std::fwrite(logits.data(), sizeof(float), logits.size(), file.get()) == logits.size();
  });
  if (!written || std::fflush(file.get()) != 0) return std::unexpected(write_error(options.out));
  return {};
}

}  // namespace

void add_logits(CommandLine& program) {
  auto options = std::make_shared<LogitsOptions>();
  Command command = program.add_command("logits", "Write the logits after every token of a sequence");
  command.add_option("MODEL", options->model, kModelHelp).required();
  Command tokens = command.add_choice("tokens");
  tokens.add_option("--tokens", options->tokens, "token ids: 1,2,3");
  tokens.add_option("--tokens-file", options->tokens_file, "file with a JSON array of token ids");
  command.add_option("--out", options->out, "file for float32 little-endian [tokens, vocabulary rows]")
      .required();
  add_model_options(command, options->compute);
  command.runs([options] { return report(write_logits(*options)); });
}

}  // namespace baleen

// baleen detokenize: token ids to text.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/report.h"
#include "cli/standard_input.h"
#include "cli/vocabulary.h"

namespace baleen {
namespace {

struct DetokenizeOptions {
  std::string model;
  bool lines = false;
};

/// The text of a JSON array of ids.
Result<std::string> text_of(const Tokenizer& tokenizer, std::string_view json) {
  auto document = json::Document::parse(json, json::kFileLimits);
  if (!document) return error_of(document);
  const json::Value array = document->root();
  if (array.kind() != json::Kind::array) return bad_input("expected an array of token ids");
  std::vector<int32_t> ids;
  ids.reserve(array.size());
  for (const auto [key, value] : array) {
    const auto id = value.integer();
    if (!id) return bad_input("expected an array of token ids");
    if (*id < 0 || *id >= tokenizer.size())
      return bad_input("token id " + std::to_string(*id) + " is outside the vocabulary of " +
                       std::to_string(tokenizer.size()));
    ids.push_back(static_cast<int32_t>(*id));
  }
  return tokenizer.decode(ids);
}

int detokenize_lines(const Tokenizer& tokenizer) {
  return answer_lines([&](std::string_view line) -> Result<std::string> {
    auto text = text_of(tokenizer, line);
    if (!text) return error_of(text);
    json::Writer writer;
    writer.value(std::string_view(*text));
    return writer.take();
  });
}

int detokenize(const DetokenizeOptions& options) {
  auto tokenizer = open_tokenizer(options.model);
  if (!tokenizer) return report(tokenizer.error());
  if (options.lines) return detokenize_lines(*tokenizer);
  auto text = text_of(*tokenizer, read_standard_input());
  if (!text) return report({ErrorKind::bad_input, "standard input: " + text.error().message});
  if (std::fwrite(text->data(), 1, text->size(), stdout) != text->size() || std::fflush(stdout) != 0)
    return report({ErrorKind::failed, "standard output cannot be written"});
  return 0;
}

}  // namespace

void add_detokenize(CommandLine& program) {
  auto options = std::make_shared<DetokenizeOptions>();
  Command command = program.add_command("detokenize", "A JSON array of token ids on standard input to text");
  command.add_option("MODEL", options->model, kModelHelp).required();
  command.add_flag("--lines", options->lines, "one array of ids a line in, one JSON string a line out");
  command.runs([options] { return detokenize(*options); });
}

}  // namespace baleen

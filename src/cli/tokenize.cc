// baleen tokenize: text to token ids.
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

struct TokenizeOptions {
  std::string model;
  bool special = false, add_special = false, lines = false;
};

std::string ids_as_json(const Tokenizer& tokenizer, const TokenizeOptions& options, std::string_view text) {
  std::vector<int32_t> ids;
  if (options.add_special) ids = tokenizer.prefix();
  if (options.special)
    tokenizer.encode_special(text, ids);
  else
    tokenizer.encode_text(text, ids);
  if (options.add_special) ids.insert(ids.end(), tokenizer.suffix().begin(), tokenizer.suffix().end());
  json::Writer writer;
  writer.begin_array();
  for (const int32_t id : ids) writer.value(id);
  writer.end_array();
  return writer.take();
}

int tokenize_lines(const Tokenizer& tokenizer, const TokenizeOptions& options) {
  return answer_lines([&](std::string_view line) -> Result<std::string> {
    auto document = json::Document::parse(line, json::kFileLimits);
    if (!document) return error_of(document);
    const auto text = document->root().string();
    if (!text) return bad_input("expected a string");
    return ids_as_json(tokenizer, options, *text);
  });
}

int tokenize(const TokenizeOptions& options) {
  auto tokenizer = open_tokenizer(options.model);
  if (!tokenizer) return report(tokenizer.error());
  if (options.lines) return tokenize_lines(*tokenizer, options);
  const std::string ids = ids_as_json(*tokenizer, options, read_standard_input());
  if (std::puts(ids.c_str()) < 0 || std::fflush(stdout) != 0)
    return report({ErrorKind::failed, "standard output cannot be written"});
  return 0;
}

}  // namespace

void add_tokenize(CommandLine& program) {
  auto options = std::make_shared<TokenizeOptions>();
  Command command = program.add_command("tokenize", "Text on standard input to a JSON array of token ids");
  command.add_option("MODEL", options->model, kModelHelp).required();
  command.add_flag("--special", options->special,
                   "recognise control and added tokens, as in a rendered prompt");
  command.add_flag("--add-special", options->add_special,
                   "put around the text what the vocabulary adds (BOS, EOS)");
  command.add_flag("--lines", options->lines, "one JSON string a line in, one array of ids a line out");
  command.runs([options] { return tokenize(*options); });
}

}  // namespace baleen

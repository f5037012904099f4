// baleen: the program. Parses the command line and hands over to one command.
#include <CLI/CLI.hpp>

#include "base/mapped_file.h"
#include "cli/commands.h"

namespace {

// In the order of --help.
constexpr baleen::AddCommand kCommands[] = {
    baleen::add_serve,    baleen::add_run,      baleen::add_pull,       baleen::add_list,
    baleen::add_quantize, baleen::add_inspect,  baleen::add_logits,     baleen::add_perplexity,
    baleen::add_template, baleen::add_tokenize, baleen::add_detokenize, baleen::add_bench,
};

}  // namespace

int main(int argc, char** argv) {
  baleen::report_lost_mappings();
  CLI::App program{"Runs open-weight language models on the machine you have.", "baleen"};
  program.set_version_flag("--version", "baleen " BALEEN_VERSION);
  program.require_subcommand(1);
  int exit_code = 0;
  for (baleen::AddCommand add : kCommands) add(program, exit_code);
  try {  // CLI11 reports by exception; nothing else throws
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? 0 : 2;
  }
  return exit_code;
}

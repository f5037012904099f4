// baleen: the program. Parses the command line and hands over to one command.
#include <CLI/CLI.hpp>
#include <string>

#include "base/mapped_file.h"
#include "cli/commands.h"
#include "cli/report.h"

namespace {

// In the order of --help.
constexpr baleen::AddCommand kCommands[] = {
    baleen::add_serve,    baleen::add_run,      baleen::add_pull,       baleen::add_list,
    baleen::add_quantize, baleen::add_inspect,  baleen::add_logits,     baleen::add_perplexity,
    baleen::add_template, baleen::add_tokenize, baleen::add_detokenize, baleen::add_bench,
};

/// What CLI11 says of a command line, as every other error is said.
std::string usage_error(const CLI::App* program, const CLI::Error& error) {
  const auto chosen = program->get_subcommands();
  const std::string command = chosen.empty() ? "baleen" : "baleen " + chosen.front()->get_name();
  return "error: " + baleen::clean_line(error.what() + (": `" + command + " --help` says more")) + "\n";
}

bool is_command(const CLI::App& program, const std::string& name) {
  return !program.get_subcommands([&](const CLI::App* each) { return each->get_name() == name; }).empty();
}

}  // namespace

int main(int argc, char** argv) {
  baleen::report_lost_mappings();
  CLI::App program{"Runs open-weight language models on the machine you have.", "baleen"};
  program.set_version_flag("--version", "baleen " BALEEN_VERSION);
  program.require_subcommand(1);
  program.failure_message(usage_error);
  int exit_code = 0;
  for (baleen::AddCommand add : kCommands) add(program, exit_code);
  if (argc > 1 && argv[1][0] != '-' && !is_command(program, argv[1]))
    return baleen::report({baleen::ErrorKind::usage,
                           std::string("there is no command ") + argv[1] + ": `baleen --help` lists them"});
  try {  // CLI11 reports by exception; nothing else throws
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? 0 : 2;
  }
  return exit_code;
}

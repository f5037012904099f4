// baleen: the program. Hands over to one command.
#include "base/mapped_file.h"
#include "cli/command_line.h"
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
  baleen::CommandLine program("baleen", BALEEN_VERSION,
                              "Runs open-weight language models on the machine you have.");
  for (const baleen::AddCommand add : kCommands) add(program);
  return program.run(argc, argv);
}

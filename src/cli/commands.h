// The commands of the program, one file each. Every function adds a subcommand that stores its exit code.
#pragma once

#include <CLI/CLI.hpp>

namespace baleen {

/// What MODEL is, in every command's help.
inline constexpr const char* kModelHelp = "GGUF file, folder, or name of a pulled model";

using AddCommand = void (*)(CLI::App& program, int& exit_code);

void add_detokenize(CLI::App& program, int& exit_code);
void add_bench(CLI::App& program, int& exit_code);
void add_run(CLI::App& program, int& exit_code);
void add_inspect(CLI::App& program, int& exit_code);
void add_list(CLI::App& program, int& exit_code);
void add_quantize(CLI::App& program, int& exit_code);
void add_pull(CLI::App& program, int& exit_code);
void add_logits(CLI::App& program, int& exit_code);
void add_perplexity(CLI::App& program, int& exit_code);
void add_template(CLI::App& program, int& exit_code);
void add_tokenize(CLI::App& program, int& exit_code);
void add_serve(CLI::App& program, int& exit_code);

}  // namespace baleen

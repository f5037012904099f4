// The commands of the program, one file each. Every function adds a subcommand that stores its exit code.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>

#include "base/error.h"

namespace baleen {

/// Prints "error: …" as one clean line to stderr (UTF-8, no control bytes, at most 4 KiB); returns the exit
/// code.
int report(const Error& error);

/// The text as one line: control bytes become '?', what is no UTF-8 U+FFFD; cut at 4 KiB.
std::string clean_line(std::string_view text);

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

// The commands of the program, one file each.
#pragma once

namespace baleen {

class CommandLine;

/// What MODEL is, in every command's help.
inline constexpr const char* kModelHelp = "GGUF file, folder, or name of a pulled model";

using AddCommand = void (*)(CommandLine& program);

void add_detokenize(CommandLine& program);
void add_bench(CommandLine& program);
void add_run(CommandLine& program);
void add_inspect(CommandLine& program);
void add_list(CommandLine& program);
void add_quantize(CommandLine& program);
void add_pull(CommandLine& program);
void add_logits(CommandLine& program);
void add_perplexity(CommandLine& program);
void add_template(CommandLine& program);
void add_tokenize(CommandLine& program);
void add_serve(CommandLine& program);

}  // namespace baleen

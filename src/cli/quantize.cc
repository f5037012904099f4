#include "models/quantize.h"

#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/model_options.h"
#include "cli/model_store.h"
#include "cli/report.h"
#include "formats/gguf_export.h"
#include "tokenizer/as_gguf.h"

namespace baleen {
namespace {

struct QuantizeOptions {
  std::string in, out, type;
  ComputeOptions compute;
};

void show_progress(double share) {
  std::fprintf(stderr, "\rquantizing %3.0f %%", 100 * share);
  if (share >= 1) std::fputc('\n', stderr);
}

void print_names(const char* what, const std::vector<std::string>& names) {
  constexpr size_t kShown = 4;
  if (names.empty()) return;
  std::printf("%zu %s:", names.size(), what);
  for (size_t i = 0; i < names.size() && i < kShown; ++i) std::printf(" %s", names[i].c_str());
  std::printf("%s\n", names.size() > kShown ? " ..." : "");
}

void print_report(const QuantizeReport& report, const QuantizeOptions& options) {
  constexpr double kMegabyte = 1e6;
  std::printf("%s: %.1f MB of weights, were %.1f MB; %lld tensors in %s\n", options.out.c_str(),
              static_cast<double>(report.bytes_after) / kMegabyte,
              static_cast<double>(report.bytes_before) / kMegabyte, static_cast<long long>(report.encoded),
              options.type.c_str());
  print_names("kept finer (makes the logits)", report.finer);
  print_names("in q8_0 or as they were, for the rows are no multiple of the type's blocks",
              report.fallen_back);
}

/// Of a folder: its vocabulary and template as GGUF names them.
Result<void> add_folder_metadata(const Checkpoint& checkpoint, GgufWriter& writer) {
  if (auto added = add_gguf_params(checkpoint, writer); !added) return added;
  Vocabulary vocabulary = checkpoint.vocabulary();
  if (vocabulary.kind == VocabularyKind::tokenizer_json) {
    auto converted = as_gguf(vocabulary, checkpoint.params().vocab_rows);
    if (!converted) return error_of(converted);
    vocabulary = std::move(*converted);
  }
  return add_gguf_vocabulary(vocabulary, checkpoint.chat_template(), writer);
}

Result<void> add_metadata(const Checkpoint& checkpoint, GgufWriter& writer) {
  if (!checkpoint.is_folder()) return copy_gguf_metadata(checkpoint, writer);
  auto added = add_folder_metadata(checkpoint, writer);
  return added ? std::move(added) : std::unexpected(checkpoint.locate(added.error()));
}

Result<QuantizeReport> run_quantize(const QuantizeOptions& options) {
  const auto type = find_block_type(std::string_view(options.type));
  if (!type) return wrong_usage("--type " + options.type + ": unknown type");
  auto path = find_model(options.in);
  if (!path) return error_of(path);
  std::error_code ignored;
  if (std::filesystem::equivalent(*path, options.out, ignored))
    return wrong_usage("IN and OUT are the same file");
  auto machine = Machine::make(options.compute);
  if (!machine) return error_of(machine);
  auto checkpoint = Checkpoint::open(*path);
  if (!checkpoint) return error_of(checkpoint);
  const bool on_terminal = ::isatty(STDERR_FILENO) != 0;
  GgufWriter writer;
  if (auto added = add_metadata(*checkpoint, writer); !added) return error_of(added);
  return quantize({*checkpoint, type->type, on_terminal ? show_progress : nullptr}, writer, options.out,
                  *machine->compute().pool);
}

}  // namespace

void add_quantize(CommandLine& program) {
  auto options = std::make_shared<QuantizeOptions>();
  Command command = program.add_command("quantize", "Re-encode a model's weights and write them as GGUF");
  command.add_option("IN", options->in, kModelHelp).required();
  command.add_option("OUT", options->out, "GGUF file to write").required();
  command.add_option("--type", options->type, "f32 f16 bf16 q8_0 q4_0 q4_1 q5_0 q5_1 q4_k q5_k q6_k")
      .required()
      .in_lower_case();
  add_compute_options(command, options->compute);
  command.runs([options] {
    auto report_or_error = run_quantize(*options);
    if (!report_or_error) return report(report_or_error.error());
    print_report(*report_or_error, *options);
    return 0;
  });
}

}  // namespace baleen

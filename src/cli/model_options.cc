#include "cli/model_options.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

#include "base/usable_cores.h"
#include "cli/command_line.h"
#include "cli/model_store.h"
#include "kernels/block/encode.h"

namespace baleen {
namespace {

constexpr int kMaxThreads = 1024;

void show_progress(double done) {
  std::fprintf(stderr, "\rloading %3.0f %%%s", 100 * done, done >= 1 ? "\r\033[K" : "");
}

Result<Isa> chosen_isa(const std::string& text) {
  if (text.empty()) return best_isa();
  const auto isa = parse_isa(text);
  if (!isa) return wrong_usage("--isa: " + text + " is none of ref, avx2, avxvnni, avx512");
  if (!cpu_has(*isa)) return wrong_usage("--isa: this CPU has no " + text);
  return *isa;
}

void (*loading_progress())(double) { return isatty(STDERR_FILENO) == 1 ? show_progress : nullptr; }

/// Nothing where none is asked for.
Result<std::optional<BlockType>> weight_type(const std::string& name) {
  if (name.empty()) return std::nullopt;
  const auto type = find_block_type(name);
  if (!type || !can_encode(type->type))
    return wrong_usage("--weights: " + name + " is no type that weights can be encoded as");
  return type->type;
}

}  // namespace

void add_compute_options(Command& command, ComputeOptions& options) {
  command
      .add_option("--threads", options.threads,
                  "threads to compute with (default: one for each core, within a container's quota)")
      .between(1, kMaxThreads);
  command.add_option("--isa", options.isa,
                     "kernels: ref, avx2, avxvnni or avx512 (default: the best of this CPU)");
}

void add_model_options(Command& command, ComputeOptions& options) {
  add_compute_options(command, options);
  command.add_option("--kv-type", options.kv_type, "type of the KV cache: f32, f16 or i8").shows_default();
  command
      .add_option("--weights", options.weights,
                  "encode float matrices while loading: q8_0 q4_0 q4_1 q5_0 q5_1 q4_k q5_k q6_k f16 bf16 f32")
      .in_lower_case();
}

Result<Machine> Machine::make(const ComputeOptions& options) {
  auto isa = chosen_isa(options.isa);
  if (!isa) return error_of(isa);
  const auto kv_type = parse_kv_type(options.kv_type);
  if (!kv_type) return wrong_usage("--kv-type: " + options.kv_type + " is none of f32, f16, i8");
  auto weights = weight_type(options.weights);
  if (!weights) return error_of(weights);
  const int threads = options.threads > 0 ? options.threads : usable_cores();
  return Machine(std::make_unique<Processor>(kernels(*isa), threads), *kv_type,
                 {*weights, loading_progress()});
}

Result<OpenedModel> open_model(const std::string& name_or_path, const Machine& machine) {
  auto path = find_model(name_or_path);
  if (!path) return error_of(path);
  auto checkpoint = Checkpoint::open(*path);
  if (!checkpoint) return error_of(checkpoint);
  auto model = load_model(*checkpoint, machine.compute(), machine.load_options());
  if (!model) return error_of(model);
  return OpenedModel{std::move(*checkpoint), std::move(*model)};
}

}  // namespace baleen

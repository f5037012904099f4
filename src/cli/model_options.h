// What all commands that run a model take: which kernels, on how many threads, with what KV cache.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "formats/checkpoint.h"
#include "kernels/compute.h"
#include "kv/page_pool.h"
#include "models/model.h"

namespace baleen {

class Command;

struct ComputeOptions {
  int threads = 0;  ///< 0: every core that this process may use
  std::string isa;  ///< empty: the best this CPU has
  std::string kv_type = "f16";
  std::string weights;  ///< empty: as the file has them
};

/// Adds --threads and --isa; `options` must live as long as the command.
void add_compute_options(Command& command, ComputeOptions& options);
/// Those, --kv-type and --weights.
void add_model_options(Command& command, ComputeOptions& options);

/// The kernels and the threads that the options ask for, and how models are loaded for them. `usage` for an unknown or
/// missing ISA and for unknown types.
class Machine {
 public:
  static Result<Machine> make(const ComputeOptions& options);
  const Compute& compute() const { return processor_->compute(); }
  KvType kv_type() const { return kv_type_; }
  /// With progress on a terminal.
  const LoadOptions& load_options() const { return load_options_; }

 private:
  Machine(std::unique_ptr<Processor> processor, KvType kv_type, LoadOptions load_options)
      : processor_(std::move(processor)), kv_type_(kv_type), load_options_(load_options) {}

  std::unique_ptr<Processor> processor_;
  KvType kv_type_;
  LoadOptions load_options_;
};

/// Finds MODEL (model_store.h), opens it and loads its weights.
struct OpenedModel {
  Checkpoint checkpoint;
  std::unique_ptr<Model> model;
};
Result<OpenedModel> open_model(const std::string& name_or_path, const Machine& machine);

}  // namespace baleen

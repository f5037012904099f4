// What all commands that run a model take: which kernels, on how many threads, with what KV cache.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/error.h"
#include "formats/checkpoint.h"
#include "kernels/compute.h"
#include "kv/page_pool.h"
#include "models/model.h"

namespace baleen {

struct ComputeOptions {
  int threads = 0;  ///< 0: every core that this process may use
  std::string isa;  ///< empty: the best this CPU has
  std::string kv_type = "f16";
};

/// Adds --threads, --isa and --kv-type; `options` must live as long as the command.
void add_compute_options(CLI::App& command, ComputeOptions& options);

/// The kernels and the threads that the options ask for. `usage` for an unknown or missing ISA or KV type.
class Machine {
 public:
  static Result<Machine> make(const ComputeOptions& options);
  const Compute& compute() const { return compute_; }
  KvType kv_type() const { return kv_type_; }

 private:
  Machine(std::unique_ptr<ThreadPool> pool, const KernelTable& kernels, KvType kv_type)
      : pool_(std::move(pool)), compute_{&kernels, pool_.get()}, kv_type_(kv_type) {}

  std::unique_ptr<ThreadPool> pool_;
  Compute compute_;
  KvType kv_type_;
};

/// Shows how far loading is on a terminal; null where stderr is none.
void (*loading_progress())(double done);

/// Finds MODEL (model_store.h), opens it and loads its weights, with progress on a terminal.
struct OpenedModel {
  Checkpoint checkpoint;
  std::unique_ptr<Model> model;
};
Result<OpenedModel> open_model(const std::string& name_or_path, const Compute& compute);

}  // namespace baleen

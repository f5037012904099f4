// Reads the golden reference data: prompts, logits and greedy continuations beside a model.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "formats/checkpoint.h"
#include "kernels/kernel_table.h"
#include "models/model.h"

namespace baleen::test {

/// tests/golden of this repository.
std::filesystem::path golden_folder();

/// A golden model: a folder below tests/golden, or a GGUF file's name below tests/golden/gguf.
std::filesystem::path golden_model(const std::string& name);

/// A tensor of a safetensors file as floats or (int32) ids; fails the test where it is not there.
std::vector<float> read_floats(const std::filesystem::path& safetensors, const std::string& name);
std::vector<int32_t> read_ints(const std::filesystem::path& safetensors, const std::string& name);

struct Greedy {
  size_t prompt = 0;  ///< index
  std::vector<int32_t> ids;
};
struct Golden {
  std::vector<std::vector<int32_t>> prompts;
  std::vector<std::vector<float>> logits;  ///< per prompt [tokens, vocab_rows]
  std::vector<Greedy> greedy;
};
/// What belongs to golden_model(name).
Golden read_golden(const std::string& name);

/// A model loaded with the kernels of one ISA and its own threads.
struct TestModel {
  std::unique_ptr<Processor> processor;
  std::unique_ptr<Model> model;
};
/// Fails the test where it cannot be loaded.
TestModel load(const std::filesystem::path& path, Isa isa, int threads, const LoadOptions& options = {});

/// Logits of the whole sequence, [tokens, vocab_rows].
std::vector<float> logits_of(const Model& model, KvType kv_type, const std::vector<int32_t>& ids,
                             int32_t chunk = 128);

struct Difference {
  double mean = 0, max = 0;
  double same_top = 0;  ///< share of positions with the same largest logit
};
Difference compare(const std::vector<float>& ours, const std::vector<float>& reference, size_t vocab_rows);

/// Index of the largest logit, the lowest of equals.
int32_t top(const float* logits, size_t vocab_rows);

std::vector<int32_t> greedy_continuation(const Model& model, KvType kv_type,
                                         const std::vector<int32_t>& prompt, size_t tokens);

/// What a float model has to meet: every position's logits within 1e-3 (mean 1e-4), the same greedy tokens.
void expect_reference_logits(const Model& model, const Golden& golden);
void expect_reference_tokens(const Model& model, const Golden& golden);

}  // namespace baleen::test

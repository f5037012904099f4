// Runs one sequence after another through a model, each alone, chunk by chunk: what the commands that measure
// a model need of an engine.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/error.h"
#include "models/model.h"

namespace baleen {

class Evaluator {
 public:
  /// failed where there is no memory for the KV cache of `max_tokens`. `chunk`: rows of one forward pass at
  /// most.
  static Result<Evaluator> make(const Model& model, KvType kv_type, int32_t max_tokens, int32_t chunk = 128);

  int32_t vocab_rows() const { return model_.params().vocab_rows; }
  /// Starts again at position 0.
  void restart() { pages_.tokens = 0; }
  /// Continues the sequence. `visit(first, logits)` gets the logits [rows, vocab_rows] after ids[first] and
  /// those behind it, chunk by chunk.
  using Visit = std::function<void(size_t first, std::span<const float> logits)>;
  void evaluate(std::span<const int32_t> ids, const Visit& visit);

 private:
  Evaluator(const Model& model, PagePool pool, int32_t chunk);

  const Model& model_;
  PagePool pool_;
  PageTable pages_;
  Workspace scratch_;
  std::vector<float> logits_;
  std::vector<int32_t> wanted_;
};

}  // namespace baleen

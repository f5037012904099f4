// The lightning indexer of DeepSeek's sparse attention (V3.2, arXiv 2512.02556): small heads score every earlier token
// cheaply, and the main attention of a query sees only the tokens with the highest scores.
#pragma once

#include <vector>

#include "models/attention.h"
#include "models/rope.h"
#include "models/weight_loader.h"

namespace baleen {

class Indexer {
 public:
  Indexer() = default;
  /// A layer's, by GGUF's names; does nothing in a model that has none.
  static Indexer load(WeightLoader& loader, int32_t layer);

  /// Writes the step's keys into its pages and chooses for each row. h [rows, dim] and the compressed queries
  /// [rows, q_rank] are what the layer's attention takes; all keys where they are not more than may be chosen.
  Selection select(const Pass& pass, int32_t layer, Rows h, Rows compressed, const Rotation& rotation) const;
  /// Of scratch that select() takes for so many rows.
  size_t scratch_bytes(const Compute& compute, int64_t rows) const;
  void add_cost(ModelCost& cost) const;

 private:
  struct Scores;
  void score_row(const Pass& pass, int32_t layer, const Step::Part& part, int32_t position,
                 const Scores& s) const;

  IndexerParameters parameters_;
  int32_t context_ = 0;
  Rope rope_;
  Linear queries_;                          ///< [heads * key_dim, q_rank]
  Linear keys_;                             ///< [key_dim, dim]
  Linear weights_;                          ///< [heads, dim]: of a token's heads
  std::vector<float> key_norm_, key_bias_;  ///< [key_dim]
};

}  // namespace baleen

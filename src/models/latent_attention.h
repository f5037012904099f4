// Multi-head latent attention (MLA, arXiv 2405.04434) in its absorbed form: a token leaves one latent for all heads
// behind, the compressed keys and values and a part that carries the position. A head's query is turned into the
// latents' space instead of every latent into the head's, so heads are rows against one shared key, and one form serves
// prompts, generated tokens and cached prefixes alike.
#pragma once

#include <vector>

#include "models/attention.h"
#include "models/rope.h"
#include "models/weight_loader.h"

namespace baleen {

class LatentAttention {
 public:
  LatentAttention() = default;
  /// A layer's, by GGUF's names.
  static LatentAttention load(WeightLoader& loader, int32_t layer);

  struct Projections {
    Rows compressed;  ///< [rows, q_rank]; empty where queries are not compressed
    Rows queries;     ///< [rows, heads * (nope + rope)]
    Rows latents;     ///< [rows, kv_rank + rope]
  };
  /// Of h [rows, dim]; norms done, nothing turned yet.
  Projections project(const Pass& pass, Rows h) const;
  /// Turns the parts that carry the position.
  void rotate(const Pass& pass, const Rope& rope, const Rotation& rotation,
              const Projections& projections) const;
  /// Queries as the latents' space has them: [rows, heads * (kv_rank + rope)].
  Rows absorb(const Pass& pass, Rows queries) const;
  /// x += out * values, the latents that attention has gathered [rows, heads * kv_rank] turned into each head's values.
  void multiply_add(const Pass& pass, Rows gathered, Rows x) const;

  /// How Attention sees it.
  static AttentionShape shape(const HyperParameters& params);
  /// Of scratch that all of the above take for so many rows.
  size_t scratch_bytes(const Compute& compute, int64_t rows) const;
  void add_cost(ModelCost& cost) const;
  void add_end_cost(ModelCost& cost) const;  ///< of multiply_add() alone

 private:
  LatentParameters latent_;
  int32_t heads_ = 0;
  float norm_eps_ = 0;
  Linear q_;                    ///< [heads * (nope + rope), dim]; compressed: [.., q_rank]
  Linear q_a_;                  ///< [q_rank, dim]
  std::vector<float> q_norm_;   ///< [q_rank]; empty where queries are not compressed
  Linear kv_a_;                 ///< [kv_rank + rope, dim]
  std::vector<float> kv_norm_;  ///< [kv_rank]
  std::vector<Linear> keys_;    ///< per head [kv_rank, nope]: kv_b's half for the keys, transposed
  std::vector<Linear> values_;  ///< per head [value_dim, kv_rank]: its half for the values
  Linear out_;                  ///< [dim, heads * value_dim]
};

}  // namespace baleen

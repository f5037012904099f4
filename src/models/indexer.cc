#include "models/indexer.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/check.h"
#include "models/kv_pages.h"
#include "models/norm.h"

namespace baleen {
namespace {

int64_t pages_of(int64_t tokens) { return (tokens + kPageTokens - 1) / kPageTokens; }

/// Larger for a higher score, of equal ones for the lower position; NaN below all numbers.
uint64_t rank(float score, uint32_t position) {
  const auto bits = std::bit_cast<uint32_t>(score == score ? score + 0.0f : -INFINITY);
  const uint32_t ordered = (bits >> 31) != 0 ? ~bits : bits | 0x80000000u;
  return uint64_t{ordered} << 32 | (UINT32_MAX - position);
}

/// Marks the `wanted` highest of the ranks of positions 0 .. count - 1.
void mark_highest(uint64_t* ranks, int64_t count, int64_t wanted, VisibleKeys* pages) {
  std::nth_element(ranks, ranks + wanted - 1, ranks + count, std::greater());
  std::fill_n(pages, pages_of(count), VisibleKeys{0});
  for (int64_t i = 0; i < wanted; ++i) {
    const uint32_t position = UINT32_MAX - static_cast<uint32_t>(ranks[i]);
    pages[position / kPageTokens] |= VisibleKeys{1} << position % kPageTokens;
  }
}

}  // namespace

/// One thread's scratch, and the row that it works on.
struct Indexer::Scores {
  PageQueries queries;   ///< [heads, key_dim]
  const float* weights;  ///< [heads]
  float* heads;          ///< [heads, 32]
  uint64_t* ranks;       ///< [context]
};

Indexer Indexer::load(WeightLoader& loader, int32_t layer) {
  const HyperParameters& p = loader.params();
  const std::string block = "blk." + std::to_string(layer) + ".indexer.";
  Indexer indexer;
  indexer.parameters_ = p.indexer;
  if (!p.indexer.exist()) return indexer;
  const int64_t heads = p.indexer.heads, key_dim = p.indexer.key_dim;
  indexer.context_ = p.context;
  RopeParameters rope = p.rope;
  rope.pairs = RopePairs::halves;
  indexer.rope_ = Rope(rope, {});
  indexer.queries_ = loader.linear(block + "attn_q_b", heads * key_dim, p.latent.q_rank);
  indexer.keys_ = loader.linear(block + "attn_k", key_dim, p.dim);
  indexer.weights_ = loader.linear(block + "proj", heads, p.dim);
  indexer.key_norm_ = loader.vector(block + "k_norm.weight", key_dim);
  indexer.key_bias_ = loader.vector(block + "k_norm.bias", key_dim);
  return indexer;
}

/// rank[position] of sum over heads of weight * max(q . k, 0), heads in order, for all positions up to the row's own.
void Indexer::score_row(const Pass& pass, int32_t layer, const Step::Part& part, int32_t position,
                        const Scores& s) const {
  const int64_t heads = parameters_.heads, key_dim = parameters_.key_dim;
  const TileRows tile{heads, nullptr, s.heads, nullptr, nullptr, nullptr};
  encode_queries(pass, s.queries, heads, key_dim);
  for (int64_t index = 0; index < pages_of(position + 1); ++index) {
    const PageId page = part.pages->pages[static_cast<size_t>(index)];
    score_page(pass, s.queries, pass.pool.index_keys(page, layer), key_dim, tile);
    float sums[kPageTokens] = {};
    for (int64_t head = 0; head < heads; ++head)
      for (int key = 0; key < kPageTokens; ++key) {
        const float score = s.heads[head * kPageTokens + key];
        sums[key] += s.weights[head] * (score > 0 ? score : 0.0f);
      }
    const int64_t first = index * kPageTokens, count = std::min<int64_t>(kPageTokens, position + 1 - first);
    for (int64_t key = 0; key < count; ++key)
      s.ranks[first + key] = rank(sums[key], static_cast<uint32_t>(first + key));
  }
}

Selection Indexer::select(const Pass& pass, int32_t layer, Rows h, Rows compressed,
                          const Rotation& rotation) const {
  if (!parameters_.exist()) return {};
  int32_t tokens = 0;
  for (const Step::Part& part : pass.step.parts) tokens = std::max(tokens, part.first_position + part.rows);
  CHECK(tokens <= context_);
  const int64_t heads = parameters_.heads, key_dim = parameters_.key_dim, stride = pages_of(tokens);
  auto* pages = pass.scratch.take<VisibleKeys>(h.count * stride);
  const ScratchScope scope(pass.scratch);
  const auto products = Linear::multiply_all<2>(pass, h, {&keys_, &weights_});
  const Rows keys = products[0], weights = products[1];
  layer_norm(pass, keys, key_norm_, key_bias_);
  rope_.rotate(pass, rotation, keys, key_dim);
  store_index_keys(pass, layer, keys);
  if (tokens <= parameters_.top_k) return {};  // nobody has more keys than may be chosen
  const Rows queries = queries_.multiply(pass, compressed);
  rope_.rotate(pass, rotation, queries, key_dim);
  const int threads = pass.compute.pool->size();
  auto* scratch = pass.scratch.take<Scores>(threads);
  for (int thread = 0; thread < threads; ++thread)
    scratch[thread] = {.queries = take_page_queries(pass.scratch, nullptr, heads, key_dim),
                       .weights = nullptr,
                       .heads = pass.scratch.take<float>(heads * kPageTokens),
                       .ranks = pass.scratch.take<uint64_t>(context_)};
  for (const Step::Part& part : pass.step.parts)
    pass.compute.pool->parallel_for(part.rows, [&](int64_t i, int thread) {
      const int64_t row = part.first_row + i;
      const auto position = static_cast<int32_t>(part.first_position + i);
      VisibleKeys* const chosen = pages + row * stride;
      if (position < parameters_.top_k) {
        std::fill_n(chosen, stride, ~VisibleKeys{0});
        return;
      }
      Scores s = scratch[thread];
      s.queries.floats = queries.row(row);
      s.weights = weights.row(row);
      score_row(pass, layer, part, position, s);
      mark_highest(s.ranks, position + 1, parameters_.top_k, chosen);
    });
  return {pages, stride};
}

size_t Indexer::scratch_bytes(const Compute& compute, int64_t rows) const {
  if (!parameters_.exist()) return 0;
  const int64_t heads = parameters_.heads, key_dim = parameters_.key_dim;
  const auto threads = static_cast<size_t>(compute.pool->size());
  const size_t thread = page_queries_bytes(heads, key_dim) + rows_bytes(heads, kPageTokens) +
                        rows_bytes(2, context_) + sizeof(Scores);
  const int64_t widest = std::max(keys_.weights().cols(), queries_.weights().cols());
  return rows_bytes(rows, pages_of(context_)) + rows_bytes(rows, key_dim) + rows_bytes(rows, heads) +
         rows_bytes(rows, heads * key_dim) + threads * thread + 64 +
         multiply_scratch_bytes(compute, {.rows = rows, .cols = widest});
}

void Indexer::add_cost(ModelCost& cost) const {
  if (!parameters_.exist()) return;
  for (const Linear* linear : {&queries_, &keys_, &weights_}) linear->add_cost(cost);
  cost.add_vectors({&key_norm_, &key_bias_});
}

}  // namespace baleen

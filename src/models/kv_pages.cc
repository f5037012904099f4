#include "models/kv_pages.h"

#include <algorithm>

#include "base/check.h"

namespace baleen {
namespace {

/// Slots of one page and the rows that go there.
struct Piece {
  PageId page;
  int32_t row, count, slot;
};

/// Calls visit(piece, head) for the pieces of every part of the step and every head; a thread has a head of a part.
template <class Visit>
void for_each_piece(const Pass& pass, int32_t heads, const Visit& visit) {
  const auto count = static_cast<int64_t>(pass.step.parts.size()) * heads;
  pass.compute.pool->parallel_for(count, [&](int64_t index, int) {
    const Step::Part& part = pass.step.parts[static_cast<size_t>(index / heads)];
    for (int32_t done = 0; done < part.rows;) {
      const int32_t position = part.first_position + done, slot = position % kPageTokens;
      const int32_t rows = std::min(kPageTokens - slot, part.rows - done);
      const PageId page = part.pages->pages[static_cast<size_t>(position / kPageTokens)];
      visit(Piece{page, part.first_row + done, rows, slot}, static_cast<int32_t>(index % heads));
      done += rows;
    }
  });
}

HeadRows head_rows(Rows rows, const Piece& piece, int32_t head, int32_t dim) {
  return {rows.row(piece.row) + int64_t{head} * dim, rows.stride, piece.count, piece.slot, dim};
}

void store_keys(const RowKernels& kernels, KvType type, const HeadRows& rows, std::byte* keys) {
  switch (type) {
    case KvType::f32:
      return kernels.store_keys_f32(rows, reinterpret_cast<float*>(keys));
    case KvType::f16:
      return kernels.store_keys_f16(rows, reinterpret_cast<int16_t*>(keys));
    case KvType::i8:
      return kernels.store_keys_i8(rows, reinterpret_cast<int8_t*>(keys));
  }
}

void store_values(const RowKernels& kernels, KvType type, const HeadRows& rows, std::byte* values) {
  switch (type) {
    case KvType::f32:
      return kernels.store_values_f32(rows, reinterpret_cast<float*>(values));
    case KvType::f16:
      return kernels.store_values_f16(rows, reinterpret_cast<int16_t*>(values));
    case KvType::i8:
      return kernels.store_values_i8(rows, reinterpret_cast<int8_t*>(values));
  }
}

/// A latent is key and, in its first value_dim dimensions, value. Of floats and i8 what is stored serves as values.
PageView view_latents(const RowKernels& kernels, const KvLayout& layout, const std::byte* latents,
                      std::byte* keys) {
  const int64_t dim = layout.key_dim;
  switch (layout.type) {
    case KvType::f32:
      kernels.transpose_f32(reinterpret_cast<const float*>(latents), dim, reinterpret_cast<float*>(keys));
      return {keys, latents};
    case KvType::f16: {
      const auto* halves = reinterpret_cast<const int16_t*>(latents);
      std::byte* const values = keys + f16_keys_bytes(dim);
      kernels.keys_of_latents_f16(halves, dim, reinterpret_cast<int16_t*>(keys));
      kernels.values_of_latents_f16(halves, dim, layout.value_dim, reinterpret_cast<int16_t*>(values));
      return {keys, values};
    }
    case KvType::i8:
      CHECK(dim % 4 == 0);
      kernels.keys_of_values_i8(reinterpret_cast<const int8_t*>(latents), dim,
                                reinterpret_cast<int8_t*>(keys));
      return {keys, latents};
  }
  CHECK(false);
}

/// Of a row of queries, of either type.
int64_t codes_bytes(int64_t dim) { return std::max(i8_padded(dim), i16_padded(dim) * 2); }

}  // namespace

void store_keys_and_values(const Pass& pass, int32_t layer, Rows keys, Rows values) {
  const KvLayout& layout = pass.pool.layout();
  for_each_piece(pass, layout.kv_heads, [&](const Piece& piece, int32_t head) {
    store_keys(pass.kernels(), layout.type, head_rows(keys, piece, head, layout.key_dim),
               pass.pool.keys(piece.page, layer, head));
    store_values(pass.kernels(), layout.type, head_rows(values, piece, head, layout.value_dim),
                 pass.pool.values(piece.page, layer, head));
  });
}

void store_latents(const Pass& pass, int32_t layer, Rows latents) {
  const KvLayout& layout = pass.pool.layout();
  for_each_piece(pass, 1, [&](const Piece& piece, int32_t) {
    const HeadRows rows = head_rows(latents, piece, 0, layout.key_dim);
    std::byte* const page = pass.pool.keys(piece.page, layer, 0);
    if (layout.type == KvType::f16)
      return pass.kernels().store_latents_f16(rows, layout.value_dim, reinterpret_cast<int16_t*>(page));
    store_values(pass.kernels(), layout.type, rows, page);
  });
}

void store_index_keys(const Pass& pass, int32_t layer, Rows keys) {
  const KvLayout& layout = pass.pool.layout();
  for_each_piece(pass, 1, [&](const Piece& piece, int32_t) {
    store_keys(pass.kernels(), layout.type, head_rows(keys, piece, 0, layout.index_dim),
               pass.pool.index_keys(piece.page, layer));
  });
}

PageQueries take_page_queries(Workspace& scratch, const float* floats, int64_t rows, int64_t dim) {
  auto* codes = scratch.take<std::byte>(rows * codes_bytes(dim));
  auto* scales = scratch.take<float>(rows * code_blocks(dim));
  auto* sums = scratch.take<int32_t>(rows * code_blocks(dim));
  return {.floats = floats,
          .i8 = {reinterpret_cast<int8_t*>(codes), scales, sums},
          .i16 = {reinterpret_cast<int16_t*>(codes), scales, sums}};
}

size_t page_queries_bytes(int64_t rows, int64_t dim) {
  constexpr int64_t kTakes = 3, kLine = 64;
  return static_cast<size_t>(rows * (codes_bytes(dim) + 8 * code_blocks(dim)) + kTakes * kLine);
}

void encode_queries(const Pass& pass, const PageQueries& queries, int64_t rows, int64_t dim) {
  switch (pass.pool.layout().type) {
    case KvType::f32:
      return;
    case KvType::f16:
      return pass.kernels().quantise_queries_i16(queries.floats, rows, dim, queries.i16);
    case KvType::i8:
      return pass.kernels().quantise_queries_i8(queries.floats, rows, dim, queries.i8);
  }
}

PageFetch::PageFetch(const Pass& pass, PageId page, int32_t layer, int32_t kv_head)
    : next_(pass.pool.keys(page, layer, kv_head)) {
  constexpr int64_t kParts = 4, kLine = 64;
  const auto bytes = static_cast<int64_t>(pass.pool.layout().head_bytes());
  end_ = next_ + bytes;
  part_ = (bytes / kParts + kLine - 1) / kLine * kLine;
}

void PageFetch::part() {
  constexpr int kToRead = 0, kToSecondLevel = 2;
  constexpr int64_t kLine = 64;
  const std::byte* const end = next_ + std::min<int64_t>(part_, end_ - next_);
  for (; next_ < end; next_ += kLine) __builtin_prefetch(next_, kToRead, kToSecondLevel);
}

size_t latent_view_bytes(int64_t key_dim, int64_t value_dim) {
  return static_cast<size_t>(std::max(kTileKeys * key_dim * int64_t{sizeof(float)},
                                      f16_keys_bytes(key_dim) + f16_values_bytes(value_dim)));
}

PageView view_page(const Pass& pass, PageId page, int32_t layer, int32_t kv_head, std::byte* latents) {
  const std::byte* keys = pass.pool.keys(page, layer, kv_head);
  if (pass.pool.layout().shape == KvShape::heads) return {keys, pass.pool.values(page, layer, kv_head)};
  return view_latents(pass.kernels(), pass.pool.layout(), keys, latents);
}

void score_page(const Pass& pass, const PageQueries& queries, const std::byte* keys, int64_t dim,
                const TileRows& rows) {
  const RowKernels& kernels = pass.kernels();
  switch (pass.pool.layout().type) {
    case KvType::f32:
      return kernels.scores_f32(queries.floats, reinterpret_cast<const float*>(keys), dim, rows);
    case KvType::f16:
      return kernels.scores_f16(queries.i16, reinterpret_cast<const int16_t*>(keys), dim, rows);
    case KvType::i8:
      return kernels.scores_i8(queries.i8, reinterpret_cast<const int8_t*>(keys), dim, rows);
  }
}

void add_page_values(const Pass& pass, const TileRows& rows, const std::byte* values, float* out) {
  const RowKernels& kernels = pass.kernels();
  const KvLayout& layout = pass.pool.layout();
  const int64_t dim = layout.value_dim, stride = layout.shape == KvShape::heads ? dim : layout.key_dim;
  switch (layout.type) {
    case KvType::f32:
      return kernels.weighted_sum_f32(rows, {reinterpret_cast<const float*>(values), stride, dim}, out);
    case KvType::f16:
      return kernels.weighted_sum_f16(rows, reinterpret_cast<const int16_t*>(values), dim, out);
    case KvType::i8: {
      const auto* codes = reinterpret_cast<const int8_t*>(values);
      const auto* scales = reinterpret_cast<const float*>(codes + kTileKeys * stride);
      return kernels.weighted_sum_i8(rows, {codes, scales, stride, dim}, out);
    }
  }
}

}  // namespace baleen

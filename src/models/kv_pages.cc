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
      return kernels.store_keys_f16(rows, reinterpret_cast<uint16_t*>(keys));
    case KvType::i8:
      return kernels.store_keys_i8(rows, reinterpret_cast<int8_t*>(keys));
  }
}

void store_values(const RowKernels& kernels, KvType type, const HeadRows& rows, std::byte* values) {
  switch (type) {
    case KvType::f32:
      return kernels.store_values_f32(rows, reinterpret_cast<float*>(values));
    case KvType::f16:
      return kernels.store_values_f16(rows, reinterpret_cast<uint16_t*>(values));
    case KvType::i8:
      return kernels.store_values_i8(rows, reinterpret_cast<int8_t*>(values));
  }
}

/// [32][dim] as floats, in place where they are stored so.
const float* floats_of(const RowKernels& kernels, KvType type, const std::byte* rows, int64_t dim,
                       float* scratch) {
  switch (type) {
    case KvType::f32:
      return reinterpret_cast<const float*>(rows);
    case KvType::f16:
      kernels.widen_f16(reinterpret_cast<const uint16_t*>(rows), kTileKeys * dim, scratch);
      return scratch;
    case KvType::i8:
      break;
  }
  CHECK(false);
}

/// `dim` values of a plane of `stride` dimensions.
I8Values i8_values(const int8_t* plane, int64_t stride, int64_t dim) {
  return {plane, reinterpret_cast<const float*>(plane + kTileKeys * stride), stride, dim};
}

const uint32_t* words(const float* data) { return reinterpret_cast<const uint32_t*>(data); }
uint32_t* words(float* data) { return reinterpret_cast<uint32_t*>(data); }

PageView view_heads(const RowKernels& kernels, const KvLayout& layout, const std::byte* keys,
                    const std::byte* values, const PageScratch& scratch) {
  const int64_t dim = layout.value_dim;
  if (layout.type == KvType::i8)
    return {.i8_keys = reinterpret_cast<const int8_t*>(keys),
            .i8_values = i8_values(reinterpret_cast<const int8_t*>(values), dim, dim)};
  return {.keys = floats_of(kernels, layout.type, keys, layout.key_dim, scratch.keys),
          .values = {floats_of(kernels, layout.type, values, dim, scratch.values), dim, dim}};
}

/// A latent is key and, in its first value_dim dimensions, value: turned into keys page by page.
PageView view_latents(const RowKernels& kernels, const KvLayout& layout, const std::byte* rows,
                      const PageScratch& scratch) {
  const int64_t dim = layout.key_dim;
  if (layout.type == KvType::i8) {
    CHECK(dim % 4 == 0);
    const auto* codes = reinterpret_cast<const int8_t*>(rows);
    auto* keys = reinterpret_cast<int8_t*>(scratch.keys);
    kernels.keys_of_values_i8(codes, dim, keys);
    return {.i8_keys = keys, .i8_values = i8_values(codes, dim, layout.value_dim)};
  }
  const float* floats = floats_of(kernels, layout.type, rows, dim, scratch.values);
  kernels.transpose(words(floats), dim, words(scratch.keys));
  return {.keys = scratch.keys, .values = {floats, dim, layout.value_dim}};
}

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
    store_values(pass.kernels(), layout.type, head_rows(latents, piece, 0, layout.key_dim),
                 pass.pool.keys(piece.page, layer, 0));
  });
}

void store_index_keys(const Pass& pass, int32_t layer, Rows keys) {
  const KvLayout& layout = pass.pool.layout();
  for_each_piece(pass, 1, [&](const Piece& piece, int32_t) {
    store_keys(pass.kernels(), layout.type, head_rows(keys, piece, 0, layout.index_dim),
               pass.pool.index_keys(piece.page, layer));
  });
}

PageView view_index_keys(const Pass& pass, PageId page, int32_t layer, float* scratch) {
  const KvLayout& layout = pass.pool.layout();
  const std::byte* keys = pass.pool.index_keys(page, layer);
  if (layout.type == KvType::i8) return {.i8_keys = reinterpret_cast<const int8_t*>(keys)};
  return {.keys = floats_of(pass.kernels(), layout.type, keys, layout.index_dim, scratch)};
}

void prefetch_page(const Pass& pass, PageId page, int32_t layer, int32_t kv_head) {
  constexpr size_t kLine = 64;
  constexpr int kToSecondLevel = 2;
  const std::byte* head = pass.pool.keys(page, layer, kv_head);
  const size_t bytes = pass.pool.layout().head_bytes();
  for (size_t at = 0; at < bytes; at += kLine) __builtin_prefetch(head + at, 0, kToSecondLevel);
}

PageView view_page(const Pass& pass, PageId page, int32_t layer, int32_t kv_head,
                   const PageScratch& scratch) {
  const KvLayout& layout = pass.pool.layout();
  const std::byte* keys = pass.pool.keys(page, layer, kv_head);
  if (layout.shape == KvShape::latent) return view_latents(pass.kernels(), layout, keys, scratch);
  return view_heads(pass.kernels(), layout, keys, pass.pool.values(page, layer, kv_head), scratch);
}

}  // namespace baleen

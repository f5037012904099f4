// Rows into the pages of the KV cache, and pages as the attention kernels read them, for each type of cache.
#pragma once

#include "models/pass.h"

namespace baleen {

/// Writes the step's keys [rows, kv_heads * key_dim] and values [rows, kv_heads * value_dim] into its pages.
void store_keys_and_values(const Pass& pass, int32_t layer, Rows keys, Rows values);
/// Writes the step's latents [rows, key_dim] into its pages (KvShape::latent).
void store_latents(const Pass& pass, int32_t layer, Rows latents);

/// Writes the step's keys of an indexer [rows, index_dim] into its pages.
void store_index_keys(const Pass& pass, int32_t layer, Rows keys);

/// One head of one page: the floats, or the codes of an i8 cache; the other two are empty.
struct PageView {
  const float* keys = nullptr;  ///< [key_dim][32]
  PageValues values = {};
  const int8_t* i8_keys = nullptr;  ///< as kernels/row_kernels.h says
  I8Values i8_values = {};
};

/// Floats that a view is put into where the page does not hold it as the kernels read it.
struct PageScratch {
  float* keys;    ///< [key_dim * 32]
  float* values;  ///< [32 * max(key_dim, value_dim)]
};

/// An indexer's keys of a page; there are no values.
PageView view_index_keys(const Pass& pass, PageId page, int32_t layer, float* scratch);
/// Fetches what view_page() will read: pages lie anywhere, so no prefetcher of the core expects the next one.
void prefetch_page(const Pass& pass, PageId page, int32_t layer, int32_t kv_head);
PageView view_page(const Pass& pass, PageId page, int32_t layer, int32_t kv_head, const PageScratch& scratch);

}  // namespace baleen

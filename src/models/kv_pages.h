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

/// One head of one page.
struct PageView {
  const float* keys;      ///< [key_dim][32]; null in an i8 cache
  const int8_t* i8_keys;  ///< as kernels/row_kernels.h says; null in others
  PageValues values;
};

/// Floats that a view is put into where the page does not hold it as the kernels read it.
struct PageScratch {
  float* keys;    ///< [key_dim * 32]
  float* values;  ///< [32 * max(key_dim, value_dim)]
};

/// An indexer's keys of a page; there are no values.
PageView view_index_keys(const Pass& pass, PageId page, int32_t layer, float* scratch);
PageView view_page(const Pass& pass, PageId page, int32_t layer, int32_t kv_head, const PageScratch& scratch);

}  // namespace baleen

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

/// One head of a page as the kernels read it.
struct PageView {
  const std::byte *keys, *values;
};

/// Query rows [rows, dim] for keys of the cache's type: floats, or codes that encode_queries() writes.
struct PageQueries {
  const float* floats;
  I8Queries i8;
  I16Queries i16;  ///< for f16 keys; shares i8's memory
};
PageQueries take_page_queries(Workspace& scratch, const float* floats, int64_t rows, int64_t dim);
size_t page_queries_bytes(int64_t rows, int64_t dim);  ///< of scratch
void encode_queries(const Pass& pass, const PageQueries& queries, int64_t rows, int64_t dim);

/// Fetches what view_page() will read: pages lie anywhere, so no prefetcher of the core expects the next one. In parts,
/// for a core has some twenty misses open at once, and what asks for more waits.
class PageFetch {
 public:
  PageFetch() = default;  ///< of nothing
  PageFetch(const Pass& pass, PageId page, int32_t layer, int32_t kv_head);
  /// Asks for the next quarter.
  void part();

 private:
  const std::byte *next_ = nullptr, *end_ = nullptr;
  int64_t part_ = 0;  ///< bytes of a quarter, whole lines
};

/// Where pages hold latents, `latents` is written to: latent_view_bytes() of it, a whole cache line's address.
PageView view_page(const Pass& pass, PageId page, int32_t layer, int32_t kv_head, std::byte* latents);
size_t latent_view_bytes(int64_t key_dim, int64_t value_dim);

/// The two products of attention, as RowKernels says.
void score_page(const Pass& pass, const PageQueries& queries, const std::byte* keys, int64_t dim,
                const TileRows& rows);
void add_page_values(const Pass& pass, const TileRows& rows, const std::byte* values, float* out);

}  // namespace baleen

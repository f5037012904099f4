// Causal attention over the pages of the KV cache, with grouped heads (arXiv 2305.13245) and sliding windows.
#pragma once

#include "models/pass.h"

namespace baleen {

struct AttentionShape {
  int32_t heads = 0, kv_heads = 0, key_dim = 0, value_dim = 0;
  float scale = 1;     ///< what queries are multiplied by
  int32_t window = 0;  ///< a query sees itself and the window - 1 tokens before it; 0: all

  int32_t group() const { return heads / kv_heads; }  ///< query heads that share a KV head
};

/// Of the keys that causality and window leave, those that a row may attend to.
struct Selection {
  const VisibleKeys* pages =
      nullptr;  ///< [rows, stride]: a page's keys for each of the row's pages; null: all
  int64_t stride = 0;
  VisibleKeys of(int64_t row, int64_t page) const {
    return pages == nullptr ? ~VisibleKeys{0} : pages[row * stride + page];
  }
};

class Attention {
 public:
  Attention() = default;
  explicit Attention(const AttentionShape& shape) : shape_(shape) {}

  /// q [rows, heads * key_dim] -> [rows, heads * value_dim]. The rows' own keys and values are already in the pages
  /// (kv_pages.h).
  Rows attend(const Pass& pass, int32_t layer, Rows q, const Selection& selection = {}) const;

  /// Plans to fetch what attend() will read in that layer during the products before it, where many sequences decode.
  void read_ahead(const Pass& pass, int32_t layer) const;

  /// Of scratch that attend() takes for so many rows.
  size_t scratch_bytes(const Compute& compute, int64_t rows) const;

 private:
  AttentionShape shape_;
};

}  // namespace baleen

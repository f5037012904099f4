// The KV cache's memory: pages of 32 tokens from one pool sized at start, and per-sequence tables of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace baleen {

inline constexpr int kPageTokens = 32;

enum class KvType { f32, f16, i8 };
/// As on the command line: "f32", "f16", "i8"; nothing for another name.
std::optional<KvType> parse_kv_type(std::string_view name);
std::string_view name(KvType type);

/// How a page holds what attention reads.
enum class KvShape {
  heads,   ///< per KV head: keys as [key_dim][32], then values as [32][value_dim] (f16, i8: row_kernels.h)
  latent,  ///< one for all heads: rows [32][key_dim], whose first value_dim dimensions are the values
};

/// What one token leaves behind, said by the model. A head's part of a page is its keys, then its values,
/// each rounded up to whole cache lines.
struct KvLayout {
  int32_t layers = 0, kv_heads = 0, key_dim = 0, value_dim = 0;
  KvType type = KvType::f16;
  KvShape shape = KvShape::heads;
  int32_t index_dim = 0;        ///< of an indexer's keys, as [index_dim][32] behind a layer's heads; 0: none
  size_t keys_bytes() const;    ///< one head's keys, or the latents, of a page
  size_t values_bytes() const;  ///< one head's values in a page; 0 for latents
  size_t head_bytes() const { return keys_bytes() + values_bytes(); }
  size_t index_bytes() const;  ///< an indexer's keys of a page in one layer
  size_t layer_bytes() const;  ///< of a page
  size_t page_bytes() const;   ///< all layers
  size_t token_bytes() const;  ///< page_bytes / 32
};

using PageId = int32_t;

/// Page memory: [layer][kv head] of what KvShape says, then the indexer's keys of the layer; f16 and i8 as
/// kernels/row_kernels.h says.
class PagePool {
 public:
  /// As many pages as `bytes` hold. failed where that is none or the system has no such address space; memory
  /// is taken page by page as it is first written.
  static Result<PagePool> make(const KvLayout& layout, size_t bytes);
  const KvLayout& layout() const { return layout_; }
  int32_t pages() const { return pages_; }
  int32_t free_pages() const { return static_cast<int32_t>(free_.size()); }
  /// Nothing when all pages are taken. What an earlier owner wrote is still there.
  std::optional<PageId> take();
  void give_back(PageId page);
  std::byte* layer(PageId page, int32_t layer) const;
  std::byte* keys(PageId page, int32_t layer, int32_t kv_head) const;
  std::byte* values(PageId page, int32_t layer, int32_t kv_head) const;
  std::byte* index_keys(PageId page, int32_t layer) const;

 private:
  struct Unmap {
    size_t bytes;
    void operator()(std::byte* memory) const;
  };
  PagePool(const KvLayout& layout, int32_t pages, std::unique_ptr<std::byte, Unmap> memory);

  KvLayout layout_;
  size_t keys_bytes_, head_bytes_, layer_bytes_, page_bytes_;
  int32_t pages_;
  std::unique_ptr<std::byte, Unmap> memory_;
  std::vector<PageId> free_;
};

/// The pages of one sequence, in order of position.
struct PageTable {
  std::vector<PageId> pages;
  int32_t tokens = 0;  ///< positions 0 .. tokens - 1 are written
};

}  // namespace baleen

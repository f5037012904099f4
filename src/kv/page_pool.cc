#include "kv/page_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "base/check.h"
#include "kernels/row_kernels.h"

namespace baleen {
namespace {

static_assert(kPageTokens == kTileKeys, "a page is a tile of the attention kernels");

constexpr std::pair<KvType, std::string_view> kTypeNames[] = {
    {KvType::f32, "f32"}, {KvType::f16, "f16"}, {KvType::i8, "i8"}};

size_t to_cache_lines(size_t bytes) { return (bytes + 63) / 64 * 64; }

constexpr int64_t floats_bytes(int64_t dim) { return kTileKeys * dim * int64_t{sizeof(float)}; }

/// What `dim` numbers of each of a page's tokens take, by the cache's type.
struct PlaneBytes {
  int64_t f32, f16, i8;

  size_t of(KvType type) const {
    switch (type) {
      case KvType::f32:
        return to_cache_lines(static_cast<size_t>(f32));
      case KvType::f16:
        return to_cache_lines(static_cast<size_t>(f16));
      case KvType::i8:
        return to_cache_lines(static_cast<size_t>(i8));
    }
    CHECK(false);
  }
};

PlaneBytes keys_plane(int64_t dim) { return {floats_bytes(dim), f16_keys_bytes(dim), i8_keys_bytes(dim)}; }
PlaneBytes values_plane(int64_t dim) {
  return {floats_bytes(dim), f16_values_bytes(dim), i8_values_bytes(dim)};
}
PlaneBytes latents_plane(int64_t dim) {
  return {floats_bytes(dim), f16_latents_bytes(dim), i8_values_bytes(dim)};
}

}  // namespace

std::optional<KvType> parse_kv_type(std::string_view text) {
  for (const auto& [type, type_name] : kTypeNames)
    if (type_name == text) return type;
  return std::nullopt;
}

std::string_view name(KvType type) {
  for (const auto& [known, type_name] : kTypeNames)
    if (known == type) return type_name;
  CHECK(false);
}

size_t KvLayout::keys_bytes() const {
  return (shape == KvShape::latent ? latents_plane(key_dim) : keys_plane(key_dim)).of(type);
}

size_t KvLayout::values_bytes() const {
  return shape == KvShape::latent ? 0 : values_plane(value_dim).of(type);
}

size_t KvLayout::index_bytes() const { return index_dim == 0 ? 0 : keys_plane(index_dim).of(type); }

size_t KvLayout::layer_bytes() const { return head_bytes() * static_cast<size_t>(kv_heads) + index_bytes(); }

size_t KvLayout::page_bytes() const { return layer_bytes() * static_cast<size_t>(layers); }

size_t KvLayout::token_bytes() const { return page_bytes() / kPageTokens; }

void PagePool::Unmap::operator()(std::byte* memory) const { CHECK(munmap(memory, bytes) == 0); }

PagePool::PagePool(const KvLayout& layout, int32_t pages, std::unique_ptr<std::byte, Unmap> memory)
    : layout_(layout),
      keys_bytes_(layout.keys_bytes()),
      head_bytes_(layout.head_bytes()),
      layer_bytes_(layout.layer_bytes()),
      page_bytes_(layout.page_bytes()),
      pages_(pages),
      memory_(std::move(memory)) {
  free_.reserve(static_cast<size_t>(pages));
  for (PageId page = pages; page-- > 0;) free_.push_back(page);
}

Result<PagePool> PagePool::make(const KvLayout& layout, size_t bytes) {
  const size_t page_bytes = layout.page_bytes();
  CHECK(page_bytes > 0);
  const size_t pages = std::min<size_t>(bytes / page_bytes, std::numeric_limits<PageId>::max());
  if (pages == 0)
    return failed("the KV cache of " + std::to_string(bytes) +
                  " bytes holds no page: one of 32 tokens takes " + std::to_string(page_bytes));
  const size_t mapped = pages * page_bytes;
  void* memory =
      mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    return failed("no memory for a KV cache of " + std::to_string(mapped) +
                  " bytes, try a smaller --kv-memory");
  madvise(memory, mapped, MADV_HUGEPAGE);  // fewer TLB misses where the system allows it
  return PagePool(layout, static_cast<int32_t>(pages), {static_cast<std::byte*>(memory), Unmap{mapped}});
}

std::optional<PageId> PagePool::take() {
  if (free_.empty()) return std::nullopt;
  const PageId page = free_.back();
  free_.pop_back();
  return page;
}

void PagePool::give_back(PageId page) {
  CHECK(page >= 0 && page < pages_ && free_pages() < pages_);
  free_.push_back(page);
}

std::byte* PagePool::layer(PageId page, int32_t layer) const {
  return memory_.get() + static_cast<size_t>(page) * page_bytes_ + static_cast<size_t>(layer) * layer_bytes_;
}

std::byte* PagePool::keys(PageId page, int32_t layer_index, int32_t kv_head) const {
  return layer(page, layer_index) + static_cast<size_t>(kv_head) * head_bytes_;
}

std::byte* PagePool::values(PageId page, int32_t layer_index, int32_t kv_head) const {
  return keys(page, layer_index, kv_head) + keys_bytes_;
}

std::byte* PagePool::index_keys(PageId page, int32_t layer_index) const {
  return layer(page, layer_index) + static_cast<size_t>(layout_.kv_heads) * head_bytes_;
}

}  // namespace baleen

#include "kernels/matmul.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace baleen {
namespace {

constexpr size_t kMaxProducts = 8;
constexpr int64_t kUnitBytes = 256 << 10;  // a quarter of a second-level cache of 1 MiB
constexpr int64_t kUnitsOfThread = 8;
constexpr int64_t kStreamedTiles = 4;     // up to 32 rows
constexpr int64_t kAheadBytes = 4 << 10;  // about 300 ns at 15 GB/s: the latency of memory

int64_t tiles_of(int64_t rows) { return (rows + kTileTokens - 1) / kTileTokens; }
int64_t padded(int64_t bytes) { return (bytes + 63) / 64 * 64; }

/// The rows of x in every scheme that some weights need, cut into tiles of nearly equal size.
class Activations {
 public:
  Activations(const Compute& compute, Rows x, Workspace& scratch)
      : compute_(compute), x_(x), scratch_(scratch) {}

  int64_t tiles() const { return tiles_of(x_.count); }
  int64_t first_row(int64_t tile) const { return tile * x_.count / tiles(); }
  int rows(int64_t tile) const { return static_cast<int>(first_row(tile + 1) - first_row(tile)); }
  const std::byte* tile(Scheme scheme, int64_t index) const {
    return at(scheme) + first_row(index) * activation_bytes(scheme, x_.width);
  }

  void arrange(Scheme scheme) {
    if (at(scheme) != nullptr) return;
    const int64_t row_bytes = activation_bytes(scheme, x_.width);
    std::byte* out = scratch_.take<std::byte>(x_.count * row_bytes);
    data_[static_cast<size_t>(scheme)] = out;
    const ArrangeTile kernel = arrange_kernel(compute_.kernels->matmul, scheme);
    compute_.pool->parallel_for(tiles(), [&](int64_t index, int) {
      const int64_t row = first_row(index);
      kernel({.x = x_.row(row),
              .stride = x_.stride,
              .cols = x_.width,
              .tokens = rows(index),
              .out = out + row * row_bytes});
    });
  }

 private:
  std::byte* at(Scheme scheme) const { return data_[static_cast<size_t>(scheme)]; }

  const Compute& compute_;
  Rows x_;
  Workspace& scratch_;
  std::array<std::byte*, kSchemes> data_{};
};

/// A product's share of the loop over units of neighbouring panels.
struct Work {
  const Product* product;
  MultiplyTile kernel;
  Scheme scheme;
  int64_t first_unit, panels_per_unit;
};

/// Panels of a product from `first` to before `last`.
struct Panels {
  int64_t first, last;
};

Panels panels_of(const Work& work, int64_t unit) {
  const int64_t first = (unit - work.first_unit) * work.panels_per_unit;
  return {first, std::min(first + work.panels_per_unit, work.product->weights->panels())};
}

/// Bytes that a kernel prefetches while it works.
struct Ahead {
  const std::byte* from = nullptr;
  int64_t bytes = 0;
};

void multiply_tile(const Work& work, const Activations& x, int64_t tile, int64_t panel, const std::byte* data,
                   Ahead ahead = {}) {
  const PackedMatrix& weights = *work.product->weights;
  const Rows& out = work.product->out;
  const int64_t row = panel * kPanelRows;
  work.kernel({.panel = data,
               .x = x.tile(work.scheme, tile),
               .cols = weights.cols(),
               .tokens = x.rows(tile),
               .rows = static_cast<int>(std::min<int64_t>(kPanelRows, weights.rows() - row)),
               .out = out.row(x.first_row(tile)) + row,
               .out_stride = out.stride,
               .add = work.product->store == Store::add,
               .ahead = ahead.from,
               .ahead_bytes = ahead.bytes});
}

/// Few tiles: weights come from memory once. While a panel's tiles are computed the next panel is fetched, each tile
/// its share; with one tile, what lies a little ahead.
void multiply_streaming(const Work& work, const Activations& x, Panels panels) {
  const PackedMatrix& weights = *work.product->weights;
  const int64_t tiles = x.tiles(), bytes = weights.panel_bytes();
  const std::byte* const end = weights.panel(panels.last);
  const int64_t distance = tiles == 1 ? std::min(kAheadBytes, bytes) : bytes;
  for (int64_t panel = panels.first; panel < panels.last; ++panel) {
    const std::byte* data = weights.panel(panel);
    for (int64_t tile = 0; tile < tiles; ++tile) {
      const int64_t from = distance + tile * bytes / tiles, to = distance + (tile + 1) * bytes / tiles;
      const int64_t left = end - data;
      const Ahead ahead{data + std::min(from, left), std::min(to, left) - std::min(from, left)};
      multiply_tile(work, x, tile, panel, data, ahead);
    }
  }
}

/// Many tiles: the panels stay in the second-level cache while all tiles pass by, a tile in the first-level one.
void multiply_blocked(const Work& work, const Activations& x, Panels panels) {
  for (int64_t tile = 0; tile < x.tiles(); ++tile)
    for (int64_t panel = panels.first; panel < panels.last; ++panel)
      multiply_tile(work, x, tile, panel, work.product->weights->panel(panel));
}

void multiply_unit(const Work& work, const Activations& x, int64_t unit) {
  const Panels panels = panels_of(work, unit);
  if (x.tiles() <= kStreamedTiles) return multiply_streaming(work, x, panels);
  multiply_blocked(work, x, panels);
}

/// Types without kernels of their own: each panel is unpacked to floats once for all tiles.
void multiply_unpacked(const Work& work, const Activations& x, int64_t unit, float* unpacked) {
  const Panels panels = panels_of(work, unit);
  for (int64_t panel = panels.first; panel < panels.last; ++panel) {
    work.product->weights->unpack_panel(panel, unpacked);
    for (int64_t tile = 0; tile < x.tiles(); ++tile)
      multiply_tile(work, x, tile, panel, reinterpret_cast<const std::byte*>(unpacked));
  }
}

/// Panels that a thread takes at once: enough to hide the shared counter and the first, slow touch of a stream, few
/// enough that all threads get several.
int64_t panels_per_unit(const PackedMatrix& weights, int threads) {
  const int64_t by_bytes = kUnitBytes / weights.panel_bytes();
  const int64_t by_threads = weights.panels() / (int64_t{threads} * kUnitsOfThread);
  return std::max<int64_t>(1, std::min(by_bytes, by_threads));
}

}  // namespace

void multiply(const Compute& compute, Rows x, std::span<const Product> products, Workspace& scratch) {
  CHECK(products.size() <= kMaxProducts);
  if (x.count == 0) return;  // a step whose logits nobody wants
  const size_t mark = scratch.mark();
  Activations activations(compute, x, scratch);
  std::array<Work, kMaxProducts> works{};
  int64_t units = 0;
  bool unpacks = false;
  for (size_t i = 0; i < products.size(); ++i) {
    const PackedMatrix& weights = *products[i].weights;
    CHECK(weights.cols() == x.width && products[i].out.count == x.count);
    Work& work = works[i];
    work = {.product = &products[i],
            .kernel = multiply_kernel(compute.kernels->matmul, weights.type()),
            .scheme = scheme_of(weights.type()),
            .first_unit = units,
            .panels_per_unit = panels_per_unit(weights, compute.pool->size())};
    units += (weights.panels() + work.panels_per_unit - 1) / work.panels_per_unit;
    unpacks = unpacks || work.kernel == nullptr;
    activations.arrange(work.scheme);
  }
  const int64_t panel_floats = x.width * kPanelRows;
  float* unpacked = unpacks ? scratch.take<float>(compute.pool->size() * panel_floats) : nullptr;
  compute.pool->parallel_for(units, [&](int64_t unit, int thread) {
    size_t i = products.size() - 1;
    while (works[i].first_unit > unit) --i;
    if (works[i].kernel != nullptr) return multiply_unit(works[i], activations, unit);
    Work work = works[i];
    work.kernel = compute.kernels->matmul.f32;
    multiply_unpacked(work, activations, unit, unpacked + thread * panel_floats);
  });
  scratch.back_to(mark);
}

size_t multiply_scratch_bytes(const Compute& compute, int64_t rows, int64_t cols) {
  int64_t bytes = padded(compute.pool->size() * cols * kPanelRows * 4);
  for (const Scheme scheme : {Scheme::floats, Scheme::blocks32, Scheme::blocks256})
    bytes += padded(rows * activation_bytes(scheme, cols));
  return static_cast<size_t>(bytes);
}

}  // namespace baleen

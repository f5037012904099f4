#include "kernels/matmul.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "base/check.h"

namespace baleen {
namespace {

// A quarter of a second-level cache of 1 MiB, or a third of one of 2 when its panels are expanded.
constexpr int64_t kUnitBytes = 256 << 10;
constexpr int64_t kUnitsOfThread = 16;
// Up to 24 tiles whose activations take three quarters of a second-level cache, and 4 of any width, are few.
constexpr int64_t kStreamedTiles = 24, kStreamedBytes = 768 << 10, kWideTiles = 4;

int64_t padded(int64_t bytes) { return (bytes + 63) / 64 * 64; }

/// A group's rows, cut into tiles of nearly equal size, in every scheme that some weights need.
struct Activations {
  const ProductGroup* group;
  std::array<std::byte*, kSchemes> data;
  int64_t tile_count;
  int64_t* first_rows;  ///< [tile_count + 1]: a panel's products wait for them, and divisions take long

  int64_t tiles() const { return tile_count; }
  int64_t first_row(int64_t tile) const { return first_rows[tile]; }
  int rows(int64_t tile) const { return static_cast<int>(first_row(tile + 1) - first_row(tile)); }
  const float* row(int64_t index) const {
    return group->x.row(group->picked == nullptr ? index : group->picked[index]);
  }
  std::byte* tile(Scheme scheme, int64_t index) const {
    return data[static_cast<size_t>(scheme)] + first_row(index) * activation_bytes(scheme, group->x.width);
  }
};

/// The tiles of a group to be put into one scheme: tasks from `first_task` on.
struct Arrangement {
  const Activations* x;
  Scheme scheme;
  int64_t first_task;
};

/// One matrix of a product.
struct Side {
  Factor factor;
  MultiplyTile kernel;              ///< null: panels are unpacked
  MultiplyTiles several;            ///< null: tiles are multiplied one by one
  const ExpandedKernels* expanded;  ///< null: panels are multiplied as they are
  Scheme scheme;
  bool gated;  ///< the second: what the first left in `out` is its gate

  Side as_expanded() const {
    Side side = *this;
    side.kernel = expanded->multiply;
    side.several = nullptr;
    return side;
  }
  int64_t expanded_bytes() const { return factor.weights->cols() / 256 * expanded->block_bytes; }
};

/// A product's share of the loop over units of neighbouring panels: tasks from `first_task` on.
struct Work {
  const Activations* x;
  const Product* product;
  std::array<Side, 2> both;
  size_t side_count;
  const KernelTable* kernels;
  int64_t first_task, panels_per_unit;

  std::span<const Side> sides() const { return {both.data(), side_count}; }
  const PackedMatrix& weights() const { return *both[0].factor.weights; }
  bool has_kernels() const {
    return std::ranges::none_of(sides(), [](const Side& s) { return s.kernel == nullptr; });
  }
};

/// Whose task it is, of parts in order of their first ones.
template <class Part>
const Part& owner(std::span<const Part> parts, int64_t task) {
  return *std::prev(std::ranges::upper_bound(parts, task, {}, &Part::first_task));
}

/// Panels of a product from `first` to before `last`.
struct Panels {
  int64_t first, last;
};

Panels panels_of(const Work& work, int64_t unit) {
  const int64_t first = unit * work.panels_per_unit;
  return {first, std::min(first + work.panels_per_unit, work.weights().panels())};
}

/// Tiles of a product from `first` to before `last`.
struct Tiles {
  int64_t first, last;
  int64_t count() const { return last - first; }
};

/// Those that are multiplied at once, from `first` on.
Tiles tiles_at_once(const Work& work, int64_t first) {
  const bool several = std::ranges::any_of(work.sides(), [](const Side& s) { return s.several != nullptr; });
  return {first, std::min(first + (several ? kTilesAtOnce : 1), work.x->tiles())};
}

/// Whether a side's panels are expanded first.
bool expands(const Work& work, const Side& side) {
  return side.expanded != nullptr && work.x->tiles() >= kExpandedTiles && work.x->rows(0) >= kExpandedTokens;
}

/// Bytes that a kernel prefetches while it works.
struct Ahead {
  const std::byte* from = nullptr;
  int64_t bytes = 0;
};

/// A tile's numbers of one panel in `out`: [tokens][rows], `stride` apart.
struct Block {
  float* out;
  int64_t stride;
  int tokens, rows;
};

void add_bias(const RowKernels& kernels, const Block& block, const float* bias) {
  for (int t = 0; t < block.tokens; ++t) kernels.add(bias, block.rows, block.out + t * block.stride);
}

/// Results go to as many lines as there are tokens, and stores leave a core in order: unless these lines are there, all
/// that the kernel stores meanwhile waits behind. `onward`: of a block so many numbers behind, the next panel's, where
/// that comes next.
void fetch_to_write(const Block& block, int64_t onward) {
  for (int t = 0; t < block.tokens; ++t)
    asm volatile("prefetchw %0" : : "m"(block.out[t * block.stride + onward]));
}

/// Tiles' products with a panel whose bytes are `data`.
struct PanelProduct {
  const Work& work;
  const Side& side;
  Tiles tiles;
  int64_t row;  ///< the panel's first one
  const std::byte* data;
  Ahead ahead;
  int64_t onward = 0;  ///< fetch_to_write()'s

  int rows() const { return static_cast<int>(std::min<int64_t>(kPanelRows, work.weights().rows() - row)); }

  /// A tile's part of `out`.
  Block block(int64_t tile) const {
    const Rows& out = work.product->out;
    return {.out = out.row(work.x->first_row(tile)) + row,
            .stride = out.stride,
            .tokens = work.x->rows(tile),
            .rows = rows()};
  }

  /// Kernels, then biases; tile i's numbers go to blocks[i].
  void multiply_into(const Block* blocks) const {
    if (tiles.count() > 1 && side.several != nullptr) {
      multiply_several(blocks);
    } else {
      for (int64_t i = 0; i < tiles.count(); ++i) multiply_one(i, blocks[i]);
    }
    if (side.factor.bias == nullptr) return;
    for (int64_t i = 0; i < tiles.count(); ++i)
      add_bias(work.kernels->rows, blocks[i], side.factor.bias + row);
  }

 private:
  bool adds() const { return work.product->store == Store::add; }
  const std::byte* x(int64_t i) const { return work.x->tile(side.scheme, tiles.first + i); }

  void multiply_one(int64_t i, const Block& to) const {
    side.kernel({.panel = data,
                 .x = x(i),
                 .cols = work.weights().cols(),
                 .tokens = to.tokens,
                 .rows = to.rows,
                 .out = to.out,
                 .out_stride = to.stride,
                 .add = adds(),
                 .ahead = ahead.from,
                 .ahead_bytes = i == 0 ? ahead.bytes : 0});
  }

  void multiply_several(const Block* blocks) const {
    MatmulTiles all{.panel = data,
                    .cols = work.weights().cols(),
                    .rows = rows(),
                    .count = static_cast<int>(tiles.count()),
                    .add = adds(),
                    .ahead = ahead.from,
                    .ahead_bytes = ahead.bytes,
                    .tiles = {}};
    for (int i = 0; i < all.count; ++i)
      all.tiles[i] = {x(i), blocks[i].tokens, blocks[i].out, blocks[i].stride};
    side.several(all);
  }
};

void multiply_tiles(const PanelProduct& product) {
  Block blocks[kTilesAtOnce];
  const int64_t count = product.tiles.count();
  for (int64_t i = 0; i < count; ++i) {
    blocks[i] = product.block(product.tiles.first + i);
    fetch_to_write(blocks[i], product.onward);
  }
  if (!product.side.gated) return product.multiply_into(blocks);
  alignas(64) float up[kTilesAtOnce][kTileTokens * kPanelRows];
  Block ups[kTilesAtOnce];
  for (int64_t i = 0; i < count; ++i) ups[i] = {up[i], kPanelRows, blocks[i].tokens, blocks[i].rows};
  product.multiply_into(ups);
  for (int64_t i = 0; i < count; ++i)
    product.work.kernels->rows.silu_mul(
        {blocks[i].out, blocks[i].stride, up[i], kPanelRows, blocks[i].tokens, blocks[i].rows});
}

/// What a thread fetches besides the panels of a unit, and where it has room.
struct Later {
  int64_t lead;            ///< how far ahead of itself a tile alone fetches, bytes; 0: not at all
  const std::byte* panel;  ///< the first one behind them, unless it is null
  ReadAhead* plan;         ///< what is read after the products; may be null
  int thread;
  std::byte* expanded;  ///< room for this thread's expanded panels
};

/// One tile. What is the same for all panels is set once, for a panel of a small matrix takes less than half a
/// microsecond.
void multiply_one_tile(const Work& work, const Side& side, Panels panels, const Later& later) {
  alignas(64) float up[kTileTokens * kPanelRows];
  const PackedMatrix& weights = *side.factor.weights;
  const Rows& out = work.product->out;
  const int64_t bytes = weights.panel_bytes();
  MatmulTile tile{.panel = nullptr,
                  .x = work.x->tile(side.scheme, 0),
                  .cols = weights.cols(),
                  .tokens = work.x->rows(0),
                  .rows = kPanelRows,
                  .out = up,
                  .out_stride = side.gated ? kPanelRows : out.stride,
                  .add = work.product->store == Store::add,
                  .ahead = nullptr,
                  .ahead_bytes = 0};
  for (int64_t panel = panels.first; panel < panels.last; ++panel) {
    const int64_t row = panel * kPanelRows, left = (panels.last - panel) * bytes;
    tile.panel = weights.panel(panel);
    tile.rows = static_cast<int>(std::min<int64_t>(kPanelRows, weights.rows() - row));
    const Block block{out.data + row, out.stride, tile.tokens, tile.rows};
    fetch_to_write(block, kPanelRows);
    if (!side.gated) tile.out = block.out;
    tile.ahead_bytes = later.lead == 0 ? 0 : bytes;
    if (later.lead < left) {
      tile.ahead = tile.panel + later.lead;
    } else if (later.panel != nullptr) {
      tile.ahead = later.panel + (later.lead - left);
    } else {
      tile.ahead_bytes = 0;
    }
    side.kernel(tile);
    if (side.factor.bias != nullptr)
      add_bias(work.kernels->rows, {tile.out, tile.out_stride, tile.tokens, tile.rows},
               side.factor.bias + row);
    if (side.gated)
      work.kernels->rows.silu_mul({block.out, block.stride, up, kPanelRows, block.tokens, block.rows});
    if (later.plan != nullptr) later.plan->fetch(later.thread);
  }
}

/// Few tiles, which stay in the second-level cache while panels pass by, one in the first-level one. While its tiles
/// are computed the panel after it is fetched, each tile its share.
void multiply_streaming(const Work& work, const Side& side, Panels panels, const Later& later) {
  if (work.x->tiles() == 1) return multiply_one_tile(work, side, panels, later);
  const PackedMatrix& weights = *side.factor.weights;
  const bool expanded = expands(work, side);
  const Side as = expanded ? side.as_expanded() : side;
  const int64_t tiles = work.x->tiles(), bytes = weights.panel_bytes(), share = bytes / tiles;
  for (int64_t panel = panels.first; panel < panels.last; ++panel) {
    const int64_t left = (panels.last - panel) * bytes;
    const std::byte* data = weights.panel(panel);
    if (expanded) {  // one at a time, for the next is fetched meanwhile
      side.expanded->expand(data, weights.cols(), later.expanded);
      data = later.expanded;
    }
    for (int64_t tile = 0; tile < tiles;) {
      const Tiles some = tiles_at_once(work, tile);
      const int64_t from = bytes + tile * share, fetched = share * some.count();
      Ahead ahead;
      if (from < left) {
        ahead = {weights.panel(panel) + from, fetched};
      } else if (later.panel != nullptr) {
        ahead = {later.panel + (from - left), fetched};
      }
      multiply_tiles({work, as, some, panel * kPanelRows, data, ahead, kPanelRows});
      if (later.plan != nullptr)
        for (; tile < some.last; ++tile) later.plan->fetch(later.thread);
      tile = some.last;
    }
  }
}

/// Neighbouring panels of one matrix as a kernel takes them.
struct Source {
  Side side;
  const std::byte* first;
  int64_t bytes;  ///< of a panel

  const std::byte* panel(int64_t index) const { return first + index * bytes; }
};

/// As they are, or expanded in `memory`, whose rest is what remains of it.
Source source_of(const Work& work, const Side& side, Panels panels, std::byte*& memory) {
  const PackedMatrix& weights = *side.factor.weights;
  if (!expands(work, side)) return {side, weights.panel(panels.first), weights.panel_bytes()};
  const Source source{side.as_expanded(), memory, side.expanded_bytes()};
  for (int64_t panel = panels.first; panel < panels.last; ++panel, memory += source.bytes)
    side.expanded->expand(weights.panel(panel), weights.cols(), memory);
  return source;
}

/// Many tiles: the panels stay in the second-level cache while all tiles pass by, a tile or a few in the first-level
/// one. All tiles together need a further one: while the panels are computed the next tiles are fetched, each panel its
/// share.
void multiply_blocked(const Work& work, Panels panels, std::byte* memory) {
  const Activations& x = *work.x;
  const int64_t tiles = x.tiles(), cols = work.weights().cols();
  const int64_t count = (panels.last - panels.first) * static_cast<int64_t>(work.side_count);
  std::array<Source, 2> both;
  for (size_t i = 0; i < work.side_count; ++i) both[i] = source_of(work, work.both[i], panels, memory);
  for (int64_t tile = 0; tile < tiles;) {
    const Tiles some = tiles_at_once(work, tile);
    tile = some.last;
    const Tiles next = tiles_at_once(work, tile == tiles ? 0 : tile);
    int64_t i = 0;
    for (const Source& source : std::span(both).first(work.side_count)) {
      const int64_t bytes =
          (x.first_row(next.last) - x.first_row(next.first)) * activation_bytes(source.side.scheme, cols);
      for (int64_t panel = panels.first; panel < panels.last; ++panel, ++i) {
        const int64_t from = i * bytes / count, to = (i + 1) * bytes / count;
        multiply_tiles({work,
                        source.side,
                        some,
                        panel * kPanelRows,
                        source.panel(panel - panels.first),
                        {x.tile(source.side.scheme, next.first) + from, to - from}});
      }
    }
  }
}

/// `later.panel`: the first one of this thread's next unit, or null.
void multiply_unit(const Work& work, int64_t unit, const Later& later) {
  const Panels panels = panels_of(work, unit);
  const int64_t tiles = work.x->tiles(), rows = work.x->group->x.count;
  const int64_t bytes = rows * activation_bytes(work.both[0].scheme, work.weights().cols());
  const bool few = tiles <= kWideTiles || (tiles <= kStreamedTiles && bytes <= kStreamedBytes);
  if (!few) return multiply_blocked(work, panels, later.expanded);
  for (const Side& side : work.sides()) {
    Later behind = later;
    if (rows <= kFewRows) behind.plan = nullptr;
    if (&side != &work.sides().back()) behind.panel = work.both[1].factor.weights->panel(panels.first);
    multiply_streaming(work, side, panels, behind);
  }
}

/// Types without kernels of their own: each panel is unpacked to floats once for all tiles.
void multiply_unpacked(const Work& work, Side side, MultiplyTile f32, Panels panels, float* unpacked) {
  side.kernel = f32;
  for (int64_t panel = panels.first; panel < panels.last; ++panel) {
    side.factor.weights->unpack_panel(panel, unpacked);
    for (int64_t tile = 0; tile < work.x->tiles(); ++tile)
      multiply_tiles({work,
                      side,
                      {tile, tile + 1},
                      panel * kPanelRows,
                      reinterpret_cast<const std::byte*>(unpacked),
                      {}});
  }
}

/// Panels of a unit: enough to hide the taking of units and the first, slow touch of a stream, few
/// enough that all threads get several of the call's `panels`.
int64_t panels_per_unit(const Work& work, int64_t panels, int threads) {
  int64_t bytes = 0;
  for (const Side& side : work.sides()) bytes += side.factor.weights->panel_bytes();
  const int64_t by_bytes = kUnitBytes / bytes;
  if (threads == 1) return std::max<int64_t>(1, by_bytes);
  const int64_t by_threads = panels / (int64_t{threads} * kUnitsOfThread);
  return std::max<int64_t>(1, std::min(by_bytes, by_threads));
}

/// One call of multiply(): what is to be arranged, then what is to be multiplied, both shared among the threads.
class Call {
 public:
  Call(const Compute& compute, std::span<const ProductGroup> groups, Workspace& scratch)
      : compute_(compute), scratch_(scratch) {
    size_t products = 0;
    for (const ProductGroup& group : groups)
      for (const Product& product : group.products) {
        ++products;
        panels_ += product.factor.weights->panels();
      }
    activations_ = scratch.take<Activations>(static_cast<int64_t>(groups.size()));
    arrangements_ = scratch.take<Arrangement>(static_cast<int64_t>(groups.size()) * kSchemes);
    works_ = scratch.take<Work>(static_cast<int64_t>(products));
    for (const ProductGroup& group : groups) {
      if (group.x.count == 0) continue;  // a step whose logits nobody wants
      Activations* const x = &activations_[groups_++];
      const int64_t tiles = (group.x.count + kTileTokens - 1) / kTileTokens;
      *x = {&group, {}, tiles, scratch.take<int64_t>(tiles + 1)};
      for (int64_t tile = 0; tile <= tiles; ++tile) x->first_rows[tile] = tile * group.x.count / tiles;
      if (!group.norm.weight.empty()) {
        CHECK(static_cast<int64_t>(group.norm.weight.size()) == group.x.width);
        normed_cols_ = std::max(normed_cols_, group.x.width);
      }
      for (const Product& product : group.products) add(x, product);
    }
  }

  void arrange() const {
    const std::span<const Arrangement> all(arrangements_, arrangements_count_);
    const int64_t tile_floats = normed_cols_ * kTileTokens;
    const size_t mark = scratch_.mark();
    float* normed = scratch_.take<float>(compute_.pool->size() * tile_floats);
    compute_.pool->parallel_for(tiles_, [&](int64_t task, int thread) {
      const Arrangement& arrangement = owner(all, task);
      const Activations& x = *arrangement.x;
      const int64_t index = task - arrangement.first_task;
      ActivationTile tile{.rows = {},
                          .cols = x.group->x.width,
                          .tokens = x.rows(index),
                          .out = x.tile(arrangement.scheme, index)};
      for (int t = 0; t < tile.tokens; ++t)
        tile.rows[t] = input(x, x.first_row(index) + t, normed + thread * tile_floats + t * tile.cols);
      arrange_kernel(compute_.kernels->matmul, arrangement.scheme)(tile);
    });
    scratch_.back_to(mark);
  }

  void run() const {
    const std::span<const Work> all(works_, works_count_);
    const int64_t panel_floats = unpacked_cols_ * kPanelRows;
    float* unpacked = scratch_.take<float>(compute_.pool->size() * panel_floats);
    std::byte* expanded = scratch_.take<std::byte>(compute_.pool->size() * expanded_bytes_);
    compute_.pool->parallel_for(units_, [&](int64_t task, int thread) {
      const Work& work = owner(all, task);
      const int64_t unit = task - work.first_task;
      const int64_t lead = compute_.kernels->matmul.lead.of(work.x->group->x.count, work.weights().type());
      if (work.has_kernels())
        return multiply_unit(work, unit,
                             {.lead = lead,
                              .panel = first_panel(task + 1),  // its next one, probably
                              .plan = compute_.read_ahead,
                              .thread = thread,
                              .expanded = expanded + thread * expanded_bytes_});
      const Panels panels = panels_of(work, unit);
      for (const Side& side : work.sides())
        side.kernel != nullptr
            ? multiply_streaming(work, side, panels,
                                 {lead, nullptr, nullptr, thread, expanded + thread * expanded_bytes_})
            : multiply_unpacked(work, side, compute_.kernels->matmul.f32, panels,
                                unpacked + thread * panel_floats);
    });
  }

 private:
  /// A row as the weights take it; where it has to be normed, in `normed`.
  const float* input(const Activations& x, int64_t index, float* normed) const {
    const float* const row = x.row(index);
    const RowNorm& norm = x.group->norm;
    if (norm.weight.empty()) return row;
    compute_.kernels->rows.rms_norm(row, norm.weight.data(), x.group->x.width, norm.eps, normed);
    return normed;
  }

  /// Of a task's unit. Behind the last task a thread alone gets what lies behind the last matrix, most often the one
  /// that is multiplied with next (matrices lie in memory as they were loaded); of several threads another may start
  /// there.
  const std::byte* first_panel(int64_t task) const {
    if (task >= units_) {
      if (compute_.pool->size() > 1) return nullptr;
      const PackedMatrix& last = *works_[works_count_ - 1].sides().back().factor.weights;
      return last.panel(last.panels());
    }
    const Work& work = owner(std::span<const Work>(works_, works_count_), task);
    return work.weights().panel(panels_of(work, task - work.first_task).first);
  }

  void add(Activations* x, const Product& product) {
    Work& work = works_[works_count_++];
    work = {.x = x,
            .product = &product,
            .both = {side(product.factor, false)},
            .side_count = 1,
            .kernels = compute_.kernels,
            .first_task = units_,
            .panels_per_unit = 0};
    const PackedMatrix& weights = work.weights();
    CHECK(weights.cols() == x->group->x.width && product.out.count == x->group->x.count);
    if (const PackedMatrix* up = product.up.weights; up != nullptr) {
      CHECK(up->rows() == weights.rows() && up->cols() == weights.cols() && product.store == Store::set);
      work.both[work.side_count++] = side(product.up, true);
    }
    work.panels_per_unit = panels_per_unit(work, panels_, compute_.pool->size());
    units_ += (weights.panels() + work.panels_per_unit - 1) / work.panels_per_unit;
    if (!work.has_kernels()) unpacked_cols_ = std::max(unpacked_cols_, weights.cols());
    int64_t expanded = 0;
    for (const Side& each : work.sides()) {
      arrange_for(x, each.scheme);
      if (expands(work, each)) expanded += each.expanded_bytes();
    }
    expanded_bytes_ = std::max(expanded_bytes_, work.panels_per_unit * expanded);
  }

  Side side(const Factor& factor, bool gated) const {
    const BlockType type = factor.weights->type();
    const MatmulKernels& kernels = compute_.kernels->matmul;
    return {.factor = factor,
            .kernel = multiply_kernel(kernels, type),
            .several = multiply_tiles_kernel(kernels, type),
            .expanded = expanded_kernels(kernels, type),
            .scheme = scheme_of(kernels, type),
            .gated = gated};
  }

  void arrange_for(Activations* x, Scheme scheme) {
    std::byte*& data = x->data[static_cast<size_t>(scheme)];
    if (data != nullptr) return;
    data = scratch_.take<std::byte>(x->group->x.count * activation_bytes(scheme, x->group->x.width));
    arrangements_[arrangements_count_++] = {x, scheme, tiles_};
    tiles_ += x->tiles();
  }

  const Compute& compute_;
  Workspace& scratch_;
  Activations* activations_ = nullptr;
  Arrangement* arrangements_ = nullptr;
  Work* works_ = nullptr;
  size_t groups_ = 0, arrangements_count_ = 0, works_count_ = 0;
  int64_t panels_ = 0, tiles_ = 0, units_ = 0, normed_cols_ = 0, unpacked_cols_ = 0, expanded_bytes_ = 0;
};

/// What the expanded panels of a unit take at most.
int64_t most_expanded_bytes(const MatmulKernels& kernels, const MultiplySize& size) {
  int64_t bytes = 0;
  for (const BlockType type : {BlockType::q5_k, BlockType::q6_k}) {
    const ExpandedKernels* expanded = expanded_kernels(kernels, type);
    if (expanded == nullptr || size.rows < kExpandedTiles * kExpandedTokens) continue;
    bytes = std::max({bytes, kUnitBytes * expanded->block_bytes / panel_layout(type).record_bytes,
                      2 * (size.cols / 256) * expanded->block_bytes});
  }
  return bytes;
}

}  // namespace

void multiply(const Compute& compute, std::span<const ProductGroup> groups, Workspace& scratch) {
  const size_t mark = scratch.mark();
  const Call call(compute, groups, scratch);
  call.arrange();
  call.run();
  scratch.back_to(mark);
}

void multiply(const Compute& compute, Rows x, std::span<const Product> products, Workspace& scratch,
              RowNorm norm) {
  const ProductGroup group{.x = x, .products = products, .norm = norm};
  multiply(compute, {&group, 1}, scratch);
}

size_t multiply_scratch_bytes(const Compute& compute, const MultiplySize& size) {
  static_assert(kPanelRows >= kTileTokens);  // an unpacked panel, or a tile's normed rows
  int64_t bytes = padded(compute.pool->size() * size.cols * kPanelRows * 4);
  bytes += compute.pool->size() * most_expanded_bytes(compute.kernels->matmul, size);
  for (const Scheme scheme : {Scheme::floats, Scheme::blocks32, Scheme::blocks256, Scheme::sums256})
    bytes += size.rows * activation_bytes(scheme, size.cols) + size.groups * 64;
  bytes += (size.rows / kTileTokens + 2 * size.groups) * static_cast<int64_t>(sizeof(int64_t));  // first_rows
  bytes += size.groups * (64 + static_cast<int64_t>(sizeof(Activations) + kSchemes * sizeof(Arrangement))) +
           size.products * static_cast<int64_t>(sizeof(Work)) + 3 * 64;
  return static_cast<size_t>(bytes);
}

}  // namespace baleen

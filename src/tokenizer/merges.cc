#include "tokenizer/merges.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <unordered_map>

namespace baleen {
namespace {

// Up to here a scan for the lowest rank after each merge is quicker than a queue.
constexpr size_t kShort = 48;

/// Positions waiting for merges, lowest rank first, then from the left. Merging sweeps over the text from
/// left to right once a rank, so positions of a rank nearly always come in order: a plain list takes those, a
/// heap the rest.
class MergeQueue {
 public:
  void push(uint32_t rank, uint32_t position) {
    Bucket& bucket = buckets_[rank];
    if (bucket.next == bucket.in_order.size() && bucket.late.empty()) ranks_.push(rank);
    if (bucket.in_order.empty() || bucket.in_order.back() < position)
      bucket.in_order.push_back(position);
    else
      bucket.late.push(position);
  }

  bool empty() const { return ranks_.empty(); }
  uint32_t rank() const { return ranks_.top(); }
  uint32_t pop() {
    Bucket& bucket = buckets_[ranks_.top()];
    const bool plain = bucket.next < bucket.in_order.size() &&
                       (bucket.late.empty() || bucket.in_order[bucket.next] < bucket.late.top());
    uint32_t position;
    if (plain) {
      position = bucket.in_order[bucket.next++];
    } else {
      position = bucket.late.top();
      bucket.late.pop();
    }
    if (bucket.next == bucket.in_order.size()) {
      bucket.in_order.clear();
      bucket.next = 0;
      if (bucket.late.empty()) ranks_.pop();
    }
    return position;
  }

 private:
  template <class T>
  using MinHeap = std::priority_queue<T, std::vector<T>, std::greater<T>>;
  struct Bucket {
    std::vector<uint32_t> in_order;
    size_t next = 0;  // of in_order; those before it are taken
    MinHeap<uint32_t> late;
  };
  std::unordered_map<uint32_t, Bucket> buckets_;
  MinHeap<uint32_t> ranks_;  // of buckets that are not empty, each once
};

/// A sequence of symbols that shrinks; links skip what was merged away.
class LinkedSymbols {
 public:
  LinkedSymbols(const int32_t* ids, size_t count) : symbols_(count) {
    for (size_t i = 0; i < count; ++i)
      symbols_[i] = {ids[i], static_cast<uint32_t>(i) - 1, static_cast<uint32_t>(i) + 1};
  }
  static constexpr uint32_t kEnd = ~uint32_t{0};

  int32_t id(uint32_t i) const { return symbols_[i].id; }
  uint32_t previous(uint32_t i) const { return symbols_[i].previous; }  ///< kEnd before the first
  uint32_t next(uint32_t i) const { return symbols_[i].next < symbols_.size() ? symbols_[i].next : kEnd; }
  bool gone(uint32_t i) const { return symbols_[i].id < 0; }
  /// Symbol i becomes `id` and takes in the one after it.
  void merge(uint32_t i, int32_t id) {
    const uint32_t taken = symbols_[i].next;
    symbols_[i].id = id;
    symbols_[i].next = symbols_[taken].next;
    symbols_[taken].id = -1;
    if (symbols_[i].next < symbols_.size()) symbols_[symbols_[i].next].previous = i;
  }

 private:
  struct Symbol {
    int32_t id;
    uint32_t previous, next;
  };
  std::vector<Symbol> symbols_;
};

}  // namespace

void Merges::apply(std::vector<int32_t>& ids, size_t from) const {
  const size_t count = ids.size() - from;
  if (count <= kShort) {
    ids.resize(from + apply_short(ids.data() + from, count));
    return;
  }
  CHECK(count < LinkedSymbols::kEnd);
  LinkedSymbols symbols(ids.data() + from, count);
  MergeQueue queue;
  const auto offer = [&](uint32_t left) {
    const uint32_t right = symbols.next(left);
    if (right == LinkedSymbols::kEnd) return;
    const Merge merge = find(symbols.id(left), symbols.id(right));
    if (merge.rank != kNone) queue.push(merge.rank, left);
  };
  for (uint32_t i = 0; i + 1 < count; ++i) offer(i);
  while (!queue.empty()) {
    const uint32_t rank = queue.rank();
    const uint32_t left = queue.pop();
    if (symbols.gone(left) || symbols.next(left) == LinkedSymbols::kEnd) continue;
    const Merge merge = find(symbols.id(left), symbols.id(symbols.next(left)));
    if (merge.rank != rank) continue;  // one of the two has changed since
    symbols.merge(left, merge.id);
    if (symbols.previous(left) != LinkedSymbols::kEnd) offer(symbols.previous(left));
    offer(left);
  }
  ids.resize(from);
  for (uint32_t i = 0; i != LinkedSymbols::kEnd; i = symbols.next(i)) ids.push_back(symbols.id(i));
}

size_t Merges::apply_short(int32_t* ids, size_t count) const {
  Merge merges[kShort];
  for (size_t i = 0; i + 1 < count; ++i) merges[i] = find(ids[i], ids[i + 1]);
  while (count > 1) {
    const Merge* end = merges + count - 1;
    const Merge* best = std::min_element(merges, merges + count - 1,
                                         [](const Merge& a, const Merge& b) { return a.rank < b.rank; });
    if (best == end || best->rank == kNone) break;
    const auto at = static_cast<size_t>(best - merges);
    ids[at] = best->id;
    std::copy(ids + at + 2, ids + count, ids + at + 1);
    std::copy(merges + at + 1, merges + count - 1, merges + at);
    --count;
    if (at > 0) merges[at - 1] = find(ids[at - 1], ids[at]);
    if (at + 1 < count) merges[at] = find(ids[at], ids[at + 1]);
  }
  return count;
}

}  // namespace baleen

#include "tokenizer/merges.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <queue>
#include <unordered_map>

namespace baleen {
namespace {

/// Positions waiting for merges, lowest rank first, then from the left. Merging sweeps over the text from
/// left to right once a rank, so positions of a rank nearly always come in order: a plain list takes those, a
/// heap the rest.
class MergeQueue {
 public:
  void push(int32_t rank, uint32_t position) {
    Bucket& bucket = buckets_[rank];
    if (bucket.next == bucket.in_order.size() && bucket.late.empty()) ranks_.push(rank);
    if (bucket.in_order.empty() || bucket.in_order.back() < position)
      bucket.in_order.push_back(position);
    else
      bucket.late.push(position);
  }

  bool empty() const { return ranks_.empty(); }
  int32_t rank() const { return ranks_.top(); }
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
  std::unordered_map<int32_t, Bucket> buckets_;
  MinHeap<int32_t> ranks_;  // of buckets that are not empty, each once
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

/// Merges the symbols of one piece.
class PieceMerger {
 public:
  PieceMerger(const Merges& merges, const int32_t* symbols, size_t count)
      : merges_(merges),
        symbols_(symbols),
        count_(count),
        known_(std::bit_ceil(std::min<size_t>(count / 8, 4096) + 1)) {}

  /// A token and where in the symbols it ends.
  struct Token {
    int32_t id;
    uint32_t end;
    bool operator==(const Token&) const = default;
  };

  /// Window by window, each from where the tokens before it end. A sequence of tokens is what merging gives if each two
  /// neighbours are what merging the two gives: the first merge across a border in the whole would be the first one in
  /// its two neighbours as well.
  std::vector<Token> run() {
    std::vector<Token> tokens;
    uint32_t begin = 0, size = kWindow;
    for (uint64_t work = 0; begin < count_; work += size) {
      if (work > kMostWork * count_) {
        encode_long(0, static_cast<uint32_t>(count_), tokens);
        break;
      }
      const auto end = static_cast<uint32_t>(std::min<uint64_t>(count_, uint64_t{begin} + size));
      encode_window(begin, end);
      // What follows the window may change its last tokens.
      const uint32_t sure_end = end == count_ ? end : size == kWindow ? end - 1 : begin + size / 2;
      const auto unsure = std::ranges::upper_bound(window_, sure_end, {}, &Token::end);
      const uint32_t before = tokens.size() < 2 ? 0 : tokens[tokens.size() - 2].end;
      const bool fit = tokens.empty() || fits(before, tokens.back(), window_.front());
      if (fit && unsure != window_.begin()) {
        tokens.insert(tokens.end(), window_.begin(), unsure);
        begin = tokens.back().end;
        size = repeats(begin) ? window_end_ - window_begin_ : kWindow;
        continue;
      }
      size *= 2;
      if (fit) continue;
      size += begin - before;
      begin = before;
      tokens.pop_back();
    }
    return tokens;
  }

 private:
  // Symbols that are merged at a time, where that is enough.
  static constexpr uint32_t kWindow = 32;
  // Up to here a scan for the lowest rank after each merge is quicker than a queue.
  static constexpr uint32_t kShort = 128;
  // Symbols in windows for each of the piece; beyond it the piece has no short-range structure.
  static constexpr uint64_t kMostWork = 16;

  /// Whether the symbols from `begin` are those of the last window: texts of one letter, or of one emoji, repeat it.
  bool repeats(uint32_t begin) const {
    const uint32_t size = window_end_ - window_begin_;
    const int32_t* const window = symbols_ + window_begin_;
    return size <= count_ - begin && std::equal(window, window + size, symbols_ + begin);
  }

  /// The tokens of one window into window_.
  void encode_window(uint32_t begin, uint32_t end) {
    if (window_end_ - window_begin_ == end - begin && repeats(begin))
      for (Token& token : window_) token.end += begin - window_begin_;
    else
      encode(begin, end, window_);
    window_begin_ = begin;
    window_end_ = end;
  }

  /// Whether two neighbours, the left one from `begin`, are what merging the two gives.
  bool fits(uint32_t begin, Token left, Token right) {
    const auto hash =
        (static_cast<uint32_t>(left.id) * 0x9E3779B1u ^ static_cast<uint32_t>(right.id)) * 0x85EBCA6Bu;
    Pair& known = known_[hash >> 16 & (known_.size() - 1)];
    if (known.left == left.id && known.right == right.id) return known.fits;
    encode(begin, right.end, pair_);
    known = {left.id, right.id, pair_.size() == 2 && pair_[0] == left};
    return known.fits;
  }

  void encode(uint32_t begin, uint32_t end, std::vector<Token>& tokens) const {
    if (end - begin <= kShort)
      encode_short(begin, end, tokens);
    else
      encode_long(begin, end, tokens);
  }

  void encode_short(uint32_t begin, uint32_t end, std::vector<Token>& tokens) const;
  void encode_long(uint32_t begin, uint32_t end, std::vector<Token>& tokens) const;

  const Merges& merges_;
  const int32_t* symbols_;
  size_t count_;
  // Pairs of tokens met lately, by hash. What two tokens' symbols become depends on nothing else.
  struct Pair {
    int32_t left = -1, right = -1;
    bool fits = false;
  };
  std::vector<Pair> known_;
  std::vector<Token> pair_, window_;
  uint32_t window_begin_ = 0, window_end_ = 0;
};

void PieceMerger::encode_short(uint32_t begin, uint32_t end, std::vector<Token>& tokens) const {
  static_assert(kShort == 1 << Merges::kRankShift);
  const size_t count = end - begin;
  int32_t ids[kShort], merged[kShort];
  int32_t order[kShort];  // rank, then position: the next merge has the lowest
  uint8_t next[kShort], previous[kShort];
  const auto look_up = [&](size_t i) {
    const Merges::Merge merge = next[i] == count ? Merges::Merge{} : merges_.find(ids[i], ids[next[i]]);
    order[i] = merge.rank == Merges::kNone ? Merges::kNone
                                           : merge.rank << Merges::kRankShift | static_cast<int32_t>(i);
    merged[i] = merge.id;
  };
  for (size_t i = 0; i < count; ++i) {
    ids[i] = symbols_[begin + i];
    next[i] = static_cast<uint8_t>(i + 1);
    previous[i] = static_cast<uint8_t>(i - 1);
  }
  for (size_t i = 0; i < count; ++i) look_up(i);
  while (true) {
    int32_t lowest = Merges::kNone;
    for (size_t i = 0; i < count; ++i) lowest = std::min(lowest, order[i]);
    if (lowest == Merges::kNone) break;
    const auto at = static_cast<size_t>(lowest) & (kShort - 1);
    const size_t taken = next[at];
    ids[at] = merged[at];
    order[taken] = Merges::kNone;
    next[at] = next[taken];
    if (next[at] < count) previous[next[at]] = static_cast<uint8_t>(at);
    if (at > 0) look_up(previous[at]);
    look_up(at);
  }
  tokens.clear();
  for (size_t i = 0; i < count; i = next[i]) tokens.push_back({ids[i], begin + next[i]});
}

void PieceMerger::encode_long(uint32_t begin, uint32_t end, std::vector<Token>& tokens) const {
  LinkedSymbols symbols(symbols_ + begin, end - begin);
  MergeQueue queue;
  const auto offer = [&](uint32_t left) {
    const uint32_t right = symbols.next(left);
    if (right == LinkedSymbols::kEnd) return;
    const Merges::Merge merge = merges_.find(symbols.id(left), symbols.id(right));
    if (merge.rank != Merges::kNone) queue.push(merge.rank, left);
  };
  for (uint32_t i = 0; i + 1 < end - begin; ++i) offer(i);
  while (!queue.empty()) {
    const int32_t rank = queue.rank();
    const uint32_t left = queue.pop();
    if (symbols.gone(left) || symbols.next(left) == LinkedSymbols::kEnd) continue;
    const Merges::Merge merge = merges_.find(symbols.id(left), symbols.id(symbols.next(left)));
    if (merge.rank != rank) continue;  // one of the two has changed since
    symbols.merge(left, merge.id);
    if (symbols.previous(left) != LinkedSymbols::kEnd) offer(symbols.previous(left));
    offer(left);
  }
  tokens.clear();
  for (uint32_t i = 0; i != LinkedSymbols::kEnd; i = symbols.next(i)) {
    const uint32_t next = symbols.next(i);
    tokens.push_back({symbols.id(i), next == LinkedSymbols::kEnd ? end : begin + next});
  }
}

}  // namespace

Merges::Merges(size_t expected)
    // 16 bits a merge: one pair in 16 without a merge passes.
    : pairs_(expected),
      filter_(std::bit_ceil(expected / 4 + 1)),
      filter_shift_(64 - 6 - std::countr_zero(filter_.size())) {}

void Merges::add(int32_t left, int32_t right, Merge merge) {
  CHECK(merge.rank >= 0 && merge.rank < kNone >> kRankShift);
  const uint64_t pair = key(left, right);
  const uint32_t bit = filter_bit(pair);
  filter_[bit >> 6] |= uint64_t{1} << (bit & 63);
  pairs_.set(pair, merge);
}

void Merges::apply(std::vector<int32_t>& ids, size_t from) const {
  const size_t count = ids.size() - from;
  if (count < 2) return;
  CHECK(count < LinkedSymbols::kEnd);
  const auto tokens = PieceMerger(*this, ids.data() + from, count).run();
  ids.resize(from);
  for (const auto& token : tokens) ids.push_back(token.id);
}

}  // namespace baleen

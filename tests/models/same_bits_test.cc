// The bit contract (docs/NUMERICS.md): logits are a function of weights and tokens alone, not of ISA, threads, batch,
// chunks or where pages lie.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "golden.h"
#include "gtest/gtest.h"

namespace baleen {
namespace {

using Ids = std::vector<int32_t>;

constexpr const char* kModels[] = {"llama-gqa-f32",   "llama-wide-q4_k",      "llama-wide-q4_1",
                                   "llama-wide-q8_0", "deepseek-v2-lite-f32", "deepseek-v3-fp8",
                                   "deepseek-v3.2"};
constexpr KvType kKvTypes[] = {KvType::f32, KvType::f16, KvType::i8};
constexpr size_t kTokens = 70;  // three pages, the last one partly filled

/// Runs sequences together; in each step sequence i takes `chunk(i)` of the tokens it has left. Pages are handed out in
/// random order and hold garbage beforehand.
class Batch {
 public:
  Batch(const test::TestModel& loaded, KvType kv_type, std::vector<Ids> sequences)
      : model_(*loaded.model),
        sequences_(std::move(sequences)),
        logits_(sequences_.size()),
        tables_(sequences_.size()) {
    const KvLayout layout = model_.kv_layout(kv_type);
    size_t pages = 0, rows = 0;
    for (const Ids& ids : sequences_) {
      pages += (ids.size() + kPageTokens - 1) / kPageTokens;
      rows += ids.size();
    }
    pool_.emplace(std::move(*PagePool::make(layout, pages * layout.page_bytes())));
    scratch_.emplace(model_.scratch_bytes(static_cast<int64_t>(rows), static_cast<int64_t>(rows)));
    std::vector<PageId> order;
    while (auto page = pool_->take()) order.push_back(*page);
    std::shuffle(order.begin(), order.end(), std::mt19937(5));
    for (const PageId page : order) std::memset(pool_->layer(page, 0), 0xFF, layout.page_bytes());  // NaNs
    for (size_t i = 0; i < sequences_.size(); ++i)
      for (size_t taken = 0; taken < sequences_[i].size(); taken += kPageTokens) {
        tables_[i].pages.push_back(order.back());
        order.pop_back();
      }
  }

  /// [sequence][tokens * vocab_rows]
  template <class Chunk>
  std::vector<std::vector<float>> run(const Chunk& chunk) {
    while (step(chunk)) {
    }
    return logits_;
  }

 private:
  template <class Chunk>
  bool step(const Chunk& chunk) {
    Ids tokens, wanted;
    std::vector<Step::Part> parts;
    std::vector<size_t> owners;
    for (size_t i = 0; i < sequences_.size(); ++i) {
      const int32_t done = tables_[i].tokens;
      const int32_t rows = std::min<int32_t>(chunk(i), static_cast<int32_t>(sequences_[i].size()) - done);
      if (rows <= 0) continue;
      parts.push_back({&tables_[i], static_cast<int32_t>(tokens.size()), rows, done});
      tokens.insert(tokens.end(), sequences_[i].begin() + done, sequences_[i].begin() + done + rows);
      tables_[i].tokens += rows;
      owners.insert(owners.end(), static_cast<size_t>(rows), i);
    }
    if (tokens.empty()) return false;
    for (size_t row = 0; row < tokens.size(); ++row) wanted.push_back(static_cast<int32_t>(row));
    const auto vocab = static_cast<size_t>(model_.params().vocab_rows);
    std::vector<float> out(tokens.size() * vocab);
    model_.forward({tokens, parts, wanted}, *pool_, *scratch_, out.data());
    for (size_t row = 0; row < tokens.size(); ++row)
      logits_[owners[row]].insert(logits_[owners[row]].end(),
                                  out.begin() + static_cast<ptrdiff_t>(row * vocab),
                                  out.begin() + static_cast<ptrdiff_t>((row + 1) * vocab));
    return true;
  }

  const Model& model_;
  std::vector<Ids> sequences_;
  std::vector<std::vector<float>> logits_;
  std::vector<PageTable> tables_;
  std::optional<PagePool> pool_;
  std::optional<Workspace> scratch_;
};

class SameBits : public testing::TestWithParam<std::tuple<const char*, KvType>> {
 protected:
  std::filesystem::path path() const { return test::golden_model(std::get<0>(GetParam())); }
  KvType kv_type() const { return std::get<1>(GetParam()); }
  Ids prompt() const {
    Ids ids = test::read_golden(std::get<0>(GetParam())).prompts[2];
    ids.resize(kTokens);
    return ids;
  }
  std::vector<float> alone(const test::TestModel& loaded, int32_t chunk) const {
    return Batch(loaded, kv_type(), {prompt()}).run([&](size_t) { return chunk; })[0];
  }
};

void expect_same(const std::vector<float>& ours, const std::vector<float>& reference,
                 const std::string& what) {
  ASSERT_EQ(ours.size(), reference.size()) << what;
  size_t different = 0;
  for (size_t i = 0; i < ours.size(); ++i)
    different += std::memcmp(&ours[i], &reference[i], sizeof(float)) != 0;
  EXPECT_EQ(different, 0u) << what;
}

TEST_P(SameBits, WhateverRunsThem) {
  const std::vector<float> reference = alone(test::load(path(), Isa::ref, 1), kTokens);
  for (const float logit : reference) ASSERT_TRUE(std::isfinite(logit));
  for (const Isa isa : {Isa::avx2, Isa::avx512}) {
    if (!cpu_has(isa)) continue;
    for (const int threads : {1, 2}) {
      const test::TestModel loaded = test::load(path(), isa, threads);
      const std::string what = std::string(name(isa)) + ", " + std::to_string(threads) + " threads";
      expect_same(alone(loaded, kTokens), reference, what);
      expect_same(alone(loaded, 7), reference, what + ", chunks of 7");
      expect_same(alone(loaded, 1), reference, what + ", token by token");
    }
  }
}

TEST_P(SameBits, WhoeverElseIsInTheBatch) {
  const test::TestModel loaded = test::load(path(), best_isa(), 2);
  const Ids ids = prompt();
  std::vector<Ids> sequences;
  for (size_t i = 0; i < 8; ++i) sequences.emplace_back(ids.begin() + static_cast<ptrdiff_t>(i), ids.end());
  const auto together =
      Batch(loaded, kv_type(), sequences).run([](size_t i) { return static_cast<int32_t>(1 + 3 * i); });
  for (size_t i = 0; i < sequences.size(); ++i) {
    const auto by_itself = Batch(loaded, kv_type(), {sequences[i]}).run([](size_t) { return int32_t{1000}; });
    expect_same(together[i], by_itself[0], "sequence " + std::to_string(i));
  }
}

std::string test_name(const testing::TestParamInfo<std::tuple<const char*, KvType>>& info) {
  std::string text =
      std::string(std::get<0>(info.param)) + "_kv_" + std::string(name(std::get<1>(info.param)));
  std::ranges::replace_if(text, [](char c) { return c == '-' || c == '.'; }, '_');
  return text;
}

INSTANTIATE_TEST_SUITE_P(Models, SameBits,
                         testing::Combine(testing::ValuesIn(kModels), testing::ValuesIn(kKvTypes)),
                         test_name);

}  // namespace
}  // namespace baleen

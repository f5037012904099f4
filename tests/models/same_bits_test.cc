// The bit contract (docs/NUMERICS.md): logits are a function of weights and tokens alone, not of ISA, threads, batch,
// chunks or where pages lie.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <iostream>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/block_type.h"
#include "golden.h"
#include "gtest/gtest.h"
#include "models/step_shares.h"
#include "wide_deepseek.h"

namespace baleen {
namespace {

using Ids = std::vector<int32_t>;

/// write_wide_deepseek(): the golden models' matrices are too narrow for K blocks.
constexpr const char* kWide = "wide-deepseek";

struct Case {
  const char* model;  ///< of golden_model(), or kWide
  std::optional<BlockType> weights = {};
  bool wide() const { return model == std::string_view(kWide); }
};

const Case kCases[] = {{"llama-gqa-f32"},
                       {"llama-wide-q4_k"},
                       {"llama-wide-q4_1"},
                       {"llama-wide-q8_0"},
                       {"qwen3-moe"},
                       {"qwen3-moe", BlockType::q8_0},
                       {"qwen3-moe", BlockType::q4_0},
                       {"deepseek-v2-lite"},
                       {"deepseek-v2-lite", BlockType::q8_0},
                       {"deepseek-v2-lite", BlockType::q4_0},
                       {"deepseek-v2-lite-f32"},
                       {"deepseek-v2-lite-f32", BlockType::q8_0},
                       {"deepseek-v2-lite-f32", BlockType::q4_0},
                       {"deepseek-v2", BlockType::q4_0},
                       {"deepseek-v3"},
                       {"deepseek-v3", BlockType::q8_0},
                       {"deepseek-v3", BlockType::q4_0},
                       {"deepseek-v3-fp8"},
                       {"deepseek-v3.2"},
                       {"deepseek-v3.2", BlockType::q8_0},
                       {"deepseek-v3.2", BlockType::q4_0},
                       {kWide}};
constexpr KvType kKvTypes[] = {KvType::f32, KvType::f16, KvType::i8};
constexpr size_t kTokens = 70;  // three pages, the last one partly filled

/// Positions whose logits are asked for.
enum class Wanted { all, odd, last };

/// Runs sequences together; in each step sequence i takes `chunk(i)` of the tokens it has left. Pages are handed out in
/// random order and hold garbage beforehand.
class Batch {
 public:
  Batch(const test::TestModel& loaded, KvType kv_type, std::vector<Ids> sequences,
        Wanted wanted = Wanted::all)
      : model_(*loaded.model),
        wanted_(wanted),
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

  /// [sequence][wanted positions * vocab_rows]
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
    std::vector<size_t> owners;  // of the wanted rows
    for (size_t i = 0; i < sequences_.size(); ++i) {
      const int32_t done = tables_[i].tokens, size = static_cast<int32_t>(sequences_[i].size());
      const int32_t rows = std::min<int32_t>(chunk(i), size - done);
      if (rows <= 0) continue;
      const auto first = static_cast<int32_t>(tokens.size());
      parts.push_back({&tables_[i], first, rows, done});
      tokens.insert(tokens.end(), sequences_[i].begin() + done, sequences_[i].begin() + done + rows);
      tables_[i].tokens += rows;
      for (int32_t row = 0; row < rows; ++row) {
        if (wanted_ == Wanted::last && done + row + 1 < size) continue;
        if (wanted_ == Wanted::odd && (done + row) % 2 == 0) continue;
        wanted.push_back(first + row);
        owners.push_back(i);
      }
    }
    if (tokens.empty()) return false;
    const auto vocab = static_cast<size_t>(model_.params().vocab_rows);
    std::vector<float> out(wanted.size() * vocab);
    model_.forward({tokens, parts, wanted}, *pool_, *scratch_, out.data());
    for (size_t row = 0; row < wanted.size(); ++row)
      logits_[owners[row]].insert(logits_[owners[row]].end(),
                                  out.begin() + static_cast<ptrdiff_t>(row * vocab),
                                  out.begin() + static_cast<ptrdiff_t>((row + 1) * vocab));
    return true;
  }

  const Model& model_;
  const Wanted wanted_;
  std::vector<Ids> sequences_;
  std::vector<std::vector<float>> logits_;
  std::vector<PageTable> tables_;
  std::optional<PagePool> pool_;
  std::optional<Workspace> scratch_;
};

class SameBits : public testing::TestWithParam<Case> {
 protected:
  test::TestModel load(Isa isa, int threads) const {
    return test::load(path_, isa, threads, {.weights = GetParam().weights});
  }
  /// kTokens of 320: of a golden prompt where the model has one.
  static Ids prompt() {
    Ids ids;
    if (GetParam().wide()) {
      for (int32_t i = 0; i < 150; ++i) ids.push_back(i * i * 7 % 320);
    } else {
      ids = test::read_golden(GetParam().model).prompts[2];
    }
    ids.resize(kTokens);
    return ids;
  }

 private:
  const test::TemporaryFolder folder_;
  const std::filesystem::path path_ =
      GetParam().wide() ? test::write_wide_deepseek(folder_) : test::golden_model(GetParam().model);
};

std::vector<float> alone(const test::TestModel& loaded, KvType kv_type, const Ids& ids, int32_t chunk) {
  return Batch(loaded, kv_type, {ids}).run([&](size_t) { return chunk; })[0];
}

void expect_same(const std::vector<float>& ours, const std::vector<float>& reference,
                 const std::string& what) {
  ASSERT_EQ(ours.size(), reference.size()) << what;
  size_t different = 0;
  for (size_t i = 0; i < ours.size(); ++i)
    different += std::memcmp(&ours[i], &reference[i], sizeof(float)) != 0;
  EXPECT_EQ(different, 0u) << what;
}

/// The reference's kernels, one thread, the prompt whole.
std::vector<std::vector<float>> references(const test::TestModel& loaded, const Ids& ids) {
  std::vector<std::vector<float>> all;
  for (const KvType kv_type : kKvTypes) all.push_back(alone(loaded, kv_type, ids, kTokens));
  return all;
}

TEST_P(SameBits, WhateverRunsThem) {
  const Ids ids = prompt();
  const auto expected = references(load(Isa::ref, 1), ids);
  for (const auto& logits : expected)
    for (const float logit : logits) ASSERT_TRUE(std::isfinite(logit));
  EXPECT_NE(expected[0], expected[2]) << "the cache's type is not used";
  for (const Isa isa : std::span(kIsas).subspan(1)) {
    if (!cpu_has(isa)) {
      std::cout << "[ SKIPPED  ] " << name(isa) << ": not on this CPU\n";
      continue;
    }
    for (const int threads : {1, 2, 3}) {
      const test::TestModel loaded = load(isa, threads);
      for (size_t i = 0; i < expected.size(); ++i) {
        const std::string what = std::string(name(isa)) + ", " + std::to_string(threads) + " threads, kv " +
                                 std::string(name(kKvTypes[i]));
        expect_same(alone(loaded, kKvTypes[i], ids, kTokens), expected[i], what);
        expect_same(alone(loaded, kKvTypes[i], ids, 7), expected[i], what + ", chunks of 7");
        if (threads != 2) continue;
        expect_same(alone(loaded, kKvTypes[i], ids, 1), expected[i], what + ", token by token");
      }
    }
  }
}

/// Sequences of eight lengths: while the first decodes, the others' prompts come in chunks of 4, 7, … 22 tokens.
TEST_P(SameBits, WhoeverElseIsInTheBatch) {
  const test::TestModel loaded = load(best_isa(), 2);
  const Ids ids = prompt();
  std::vector<Ids> sequences;
  for (size_t i = 0; i < 8; ++i)
    sequences.emplace_back(ids.begin() + static_cast<ptrdiff_t>(5 * i), ids.end());
  for (const KvType kv_type : kKvTypes) {
    const auto together =
        Batch(loaded, kv_type, sequences).run([](size_t i) { return static_cast<int32_t>(1 + 3 * i); });
    for (size_t i = 0; i < sequences.size(); ++i)
      expect_same(together[i], alone(loaded, kv_type, sequences[i], 1000),
                  "kv " + std::string(name(kv_type)) + ", sequence " + std::to_string(i));
  }
}

/// The last layer leaves out the rows that nobody wants, some steps have none.
TEST_P(SameBits, WhateverIsWanted) {
  const test::TestModel loaded = load(best_isa(), 2);
  const Ids ids = prompt();
  const std::vector<float> all = alone(loaded, KvType::f16, ids, kTokens);
  const auto vocab = static_cast<ptrdiff_t>(all.size() / kTokens);
  std::vector<float> odd;
  for (ptrdiff_t row = 1; row < ptrdiff_t{kTokens}; row += 2)
    odd.insert(odd.end(), all.begin() + row * vocab, all.begin() + (row + 1) * vocab);
  const auto run = [&](Wanted wanted) {
    return Batch(loaded, KvType::f16, {ids}, wanted).run([](size_t) { return 9; })[0];
  };
  expect_same(run(Wanted::odd), odd, "odd positions");
  expect_same(run(Wanted::last), {all.end() - vocab, all.end()}, "the last position");
}

/// So many sequences that each thread takes its own through all layers, where there are no experts.
class SameBitsInShares : public testing::TestWithParam<const char*> {};

TEST_P(SameBitsInShares, AsAlone) {
  const Ids prompt = test::read_golden(GetParam()).prompts[2];
  std::vector<Ids> sequences;  // of 6 to 19 tokens: some end earlier, and the last steps are shared
  for (ptrdiff_t i = 0; i < 14; ++i) sequences.emplace_back(prompt.begin() + i, prompt.begin() + 6 + 2 * i);
  const auto token_by_token = [](size_t) { return 1; };
  for (const Isa isa : kIsas) {
    if (!cpu_has(isa)) {
      std::cout << "[ SKIPPED  ] " << name(isa) << ": not on this CPU\n";
      continue;
    }
    const auto two = test::load(test::golden_model(GetParam()), isa, 2);
    const auto one = test::load(test::golden_model(GetParam()), isa, 1);
    const std::vector<Step::Part> parts(sequences.size());
    SharePolicy policy(2, two.model->cost().packed_bytes / two.model->params().layers);
    EXPECT_TRUE(policy.possible({Ids(parts.size()), parts, {}}) && policy.in_shares())
        << "nothing is run in shares";
    for (const Wanted wanted : {Wanted::all, Wanted::odd}) {
      const auto together = Batch(two, KvType::f16, sequences, wanted).run(token_by_token);
      for (size_t i = 0; i < sequences.size(); ++i)
        expect_same(together[i], Batch(one, KvType::f16, {sequences[i]}, wanted).run(token_by_token)[0],
                    std::string(name(isa)) + ", sequence " + std::to_string(i));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, SameBitsInShares,
                         testing::Values("llama-gqa-f32", "llama-wide-q4_k", "llama-wide-q4_1", "qwen3"),
                         [](const auto& each) {
                           std::string text = each.param;
                           std::ranges::replace(text, '-', '_');
                           return text;
                         });

std::string test_name(const testing::TestParamInfo<Case>& each) {
  std::string text = each.param.model;
  if (each.param.weights) text += "_as_" + std::string(info(*each.param.weights).name);
  std::ranges::replace_if(text, [](char c) { return c == '-' || c == '.'; }, '_');
  return text;
}

INSTANTIATE_TEST_SUITE_P(Models, SameBits, testing::ValuesIn(kCases), test_name);

}  // namespace
}  // namespace baleen

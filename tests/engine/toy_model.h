// A model whose next token is a hash of the exact prefix that it reads back from the pages, so that any mix-up of
// pages, positions or sequences shows as a wrong token.
#pragma once

#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "decode/sampler.h"
#include "models/model.h"

namespace baleen {

struct ToyShape {
  int32_t vocab_rows = 101, context = 400;
};

inline uint64_t toy_hash(std::span<const int32_t> prefix) {
  uint64_t hash = 1;
  for (int32_t token : prefix) hash = mix_bits(hash * 31 + static_cast<uint64_t>(token) + 1);
  return hash;
}

inline void toy_logits(uint64_t hash, std::span<float> logits) {
  for (size_t id = 0; id < logits.size(); ++id)
    logits[id] = static_cast<float>(mix_bits(hash + id) >> 40) * 0x1p-21F;  // 0 … 8
}

class ToyModel final : public Model {
 public:
  explicit ToyModel(const ToyShape& shape) {
    params_.vocab_rows = shape.vocab_rows;
    params_.context = shape.context;
  }

  StepReport forward(const Step& step, PagePool& pool, Workspace&, float* logits) const override {
    for (const Step::Part& part : step.parts)
      for (int32_t row = 0; row < part.rows; ++row)
        *cell(pool, *part.pages, part.first_position + row) =
            static_cast<float>(step.tokens[static_cast<size_t>(part.first_row + row)]);
    const auto width = static_cast<size_t>(params_.vocab_rows);
    for (size_t i = 0; i < step.wanted.size(); ++i) {
      for (const Step::Part& part : step.parts) {
        const int32_t row = step.wanted[i] - part.first_row;
        if (row < 0 || row >= part.rows) continue;
        std::vector<int32_t> prefix;
        for (int32_t position = 0; position <= part.first_position + row; ++position)
          prefix.push_back(static_cast<int32_t>(*cell(pool, *part.pages, position)));
        toy_logits(toy_hash(prefix), {logits + i * width, width});
        if (prefix.back() == kBrokenToken)
          std::fill_n(logits + i * width, width, std::numeric_limits<float>::quiet_NaN());
      }
    }
    return {};
  }
  KvLayout kv_layout(KvType) const override {
    return {.layers = 1, .kv_heads = 1, .key_dim = 1, .value_dim = 1, .type = KvType::f32};
  }
  size_t scratch_bytes(int64_t, int64_t) const override { return 64; }
  const HyperParameters& params() const override { return params_; }
  ModelCost cost() const override { return {.macs_per_token = 10, .macs_per_wanted_row = 5}; }

  static constexpr int32_t kBrokenToken = 99;  // after it every logit is NaN

 private:
  static float* cell(PagePool& pool, const PageTable& table, int32_t position) {
    const PageId page = table.pages.at(static_cast<size_t>(position / kPageTokens));
    return reinterpret_cast<float*>(pool.keys(page, 0, 0)) + position % kPageTokens;
  }
  HyperParameters params_;
};

/// What the engine must answer: the tokens and logprobs of one choice, computed alone without pages.
inline std::vector<TokenLogprob> toy_answer(const ToyShape& shape, std::vector<int32_t> tokens,
                                            const SamplingParams& sampling, int32_t choice, int32_t count) {
  Sampler sampler(shape.vocab_rows, shape.vocab_rows);
  TokenCounts counts(tokens);
  std::vector<float> logits(static_cast<size_t>(shape.vocab_rows));
  std::vector<TokenLogprob> answer;
  for (int32_t i = 0; i < count; ++i) {
    toy_logits(toy_hash(tokens), logits);
    SampleRequest request;
    request.params = &sampling;
    request.counts = &counts;
    request.key = {sampling.seed, choice, static_cast<int32_t>(tokens.size())};
    request.logprobs = 0;
    answer.push_back(sampler.sample(logits, request).chosen);
    tokens.push_back(answer.back().token);
    counts.add(answer.back().token);
  }
  return answer;
}

}  // namespace baleen

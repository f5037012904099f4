// From a row of logits to a token. Every draw is keyed by (seed, choice, position); no shared random stream,
// no libm: the same logits give the same token and the same digits on every machine.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "decode/draw.h"

namespace baleen {

/// Applied in this order: logit_bias, repetition, presence and frequency penalties, temperature, top_k,
/// top_p, min_p.
struct SamplingParams {
  float temperature = 1;  ///< 0: greedy (lowest id wins a tie)
  float top_p = 1;        ///< keeps the fewest best tokens whose probabilities reach it
  int32_t top_k = 0;      ///< 0: all
  float min_p = 0;        ///< drops tokens less likely than this share of the best one's probability
  /// Above 1: logits of tokens in prompt and output are divided by it, negative ones multiplied (arXiv
  /// 1909.05858).
  float repetition_penalty = 1;
  float presence_penalty = 0, frequency_penalty = 0;  ///< OpenAI's: once, and per occurrence in the output
  std::vector<std::pair<int32_t, float>> logit_bias = {};  ///< ids of the vocabulary, each at most once
  uint64_t seed = 0;

  bool has_penalties() const {
    return repetition_penalty != 1 || presence_penalty != 0 || frequency_penalty != 0;
  }
};

struct TokenLogprob {
  int32_t token = -1;
  float logprob = 0;
};

struct Sample {
  TokenLogprob chosen;            ///< token -1: not one logit is a usable number
  std::vector<TokenLogprob> top;  ///< the best ones, best first
};

/// The state that penalties need: how often each token came in prompt and output.
class TokenCounts {
 public:
  explicit TokenCounts(std::span<const int32_t> prompt = {});
  void add(int32_t generated);

 private:
  friend class Sampler;
  std::vector<int32_t> prompt_;                         // distinct, ascending
  std::vector<std::pair<int32_t, int32_t>> generated_;  // token, count; ascending
};

struct SampleRequest {
  const SamplingParams* params = nullptr;
  const TokenCounts* counts = nullptr;  ///< may be null where no penalty is set
  DrawKey key;                          ///< seed included
  int32_t logprobs = -1;                ///< -1: none; else the chosen token's and so many of the best
};

/// Owns the scratch of one vocabulary's width; one per engine thread. Allocates nothing but the list of best
/// tokens.
class Sampler {
 public:
  /// Rows of the output matrix beyond the vocabulary are never drawn.
  Sampler(int32_t vocab_rows, int32_t vocab_tokens);

  /// `logits` [vocab_rows]. Logprobs are the raw logits': before bias, penalties and temperature.
  Sample sample(std::span<const float> logits, const SampleRequest& request);
  /// The log-softmax over all rows of one given token and of the `top` best, summed in a fixed order: the
  /// same digits as when the token was sampled. At least -9999, as OpenAI's API.
  Sample score(std::span<const float> logits, int32_t token, int32_t top) const;

 private:
  struct Candidate {
    float logit;
    int32_t token;
  };
  static bool before(const Candidate& a, const Candidate& b);
  std::span<const float> adjust(std::span<const float> logits, const SampleRequest& request);
  int32_t draw(std::span<const float> logits, int32_t best, const SampleRequest& request);
  int32_t draw_in_order_of_id(double target, int32_t best) const;
  int32_t draw_among_best(std::span<const float> logits, double total, const SampleRequest& request);
  void gather_best(std::span<const float> logits, double total, const SamplingParams& params);

  int32_t rows_, tokens_;
  std::vector<float> adjusted_;        // [rows]
  std::vector<double> weights_;        // [tokens]
  std::vector<Candidate> candidates_;  // capacity for all tokens
};

}  // namespace baleen

// From a row of logits to a token. Every draw is keyed by (seed, choice, position); no shared random stream.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace baleen {

struct SamplingParams {
  float temperature = 1;  ///< 0: greedy (lowest id wins a tie)
  float top_p = 1;
  int32_t top_k = 0;  ///< 0: all
  float min_p = 0;
  float repetition_penalty = 1, presence_penalty = 0, frequency_penalty = 0;
  std::vector<std::pair<int32_t, float>> logit_bias;
  uint64_t seed = 0;
};

struct TokenLogprob {
  int32_t token;
  float logprob;
};

struct Sample {
  TokenLogprob chosen;
  std::vector<TokenLogprob> top;  ///< `top_logprobs` best, before temperature and penalties, best first
};

/// The state that penalties need: how often each token came in prompt and output.
class TokenCounts {
 public:
  explicit TokenCounts(std::span<const int32_t> prompt);
  void add(int32_t generated);

 private:
  friend class Sampler;
  std::vector<std::pair<int32_t, int32_t>> prompt_, generated_;  // token, count; sorted by token
};

/// Owns the scratch of one vocabulary's width; one per engine thread.
class Sampler {
 public:
  explicit Sampler(int32_t vocab_rows, int32_t vocab_tokens);  ///< rows beyond the vocabulary are never drawn
  /// `logits` is scratch afterwards. `choice`: index among n; `position`: of the token drawn.
  Sample sample(std::span<float> logits, const SamplingParams& params, const TokenCounts& counts, int32_t choice,
                int32_t position, int32_t top_logprobs, bool want_logprob);
  /// -log-softmax of one given token and the top ones (echo, perplexity).
  Sample score(std::span<const float> logits, int32_t token, int32_t top_logprobs);

 private:
  int32_t rows_, tokens_;
  std::vector<std::pair<float, int32_t>> candidates_;
};

}  // namespace baleen

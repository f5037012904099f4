// Times forward passes of a model: prefill of one prompt, decode of several streams.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "kv/page_pool.h"
#include "models/model.h"

namespace baleen {

/// What steps took.
struct StepSums {
  double seconds = 0;
  int64_t routed_bytes = 0;  ///< packed weights of routed experts that were read
};

class StepTimer {
 public:
  /// Room for `streams` sequences of `tokens` each. failed where there is no memory.
  static Result<StepTimer> make(const Model& model, KvType kv_type, int32_t streams, int32_t tokens);

  /// One prompt from an empty context, in steps of at most 512 rows, logits of its last row only.
  StepSums prefill(int32_t tokens);
  /// `steps` tokens of each stream, after `context` tokens that do not count.
  StepSums decode(int32_t streams, int32_t context, int32_t steps);

 private:
  StepTimer(const Model& model, PagePool pool);
  void draw_tokens();
  void forward(int32_t streams, int32_t rows_of_each, bool last_wanted, StepSums& sums);
  void restart();

  const Model& model_;
  PagePool pool_;
  std::vector<PageTable> tables_;
  std::vector<int32_t> tokens_, wanted_;
  uint32_t random_ = 1;  // state of a linear congruential generator
  std::vector<Step::Part> parts_;
  std::vector<float> logits_;
  Workspace scratch_;
};

}  // namespace baleen

// What a chain of steps may do to a text.
#pragma once

#include "tokenizer/huggingface/json_node.h"

namespace baleen::huggingface {

/// Bounds the number of steps and how many times as long they make a text, all together: a file could ask for more than
/// any memory holds.
class StepLimit {
 public:
  explicit StepLimit(double most_growth) : growth_left_(most_growth) {}

  /// One more step, which `node` describes and which makes a text at most `growth` times as long. False, and reported,
  /// where that is too much.
  bool take(const Node& node, double growth = 1);

 private:
  static constexpr int kMostSteps = 64;  // published files have up to a dozen
  int steps_ = 0;
  double growth_left_;
};

}  // namespace baleen::huggingface

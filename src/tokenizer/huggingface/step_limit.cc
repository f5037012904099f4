#include "tokenizer/huggingface/step_limit.h"

#include <algorithm>

namespace baleen::huggingface {

bool StepLimit::take(const Node& node, double growth) {
  growth_left_ /= std::max(growth, 1.0);
  if (++steps_ <= kMostSteps && growth_left_ >= 1) return true;
  node.fail(steps_ > kMostSteps ? "one step too many: 64 are possible"
                                : "together with the steps before it, makes a text too many times as long");
  return false;
}

}  // namespace baleen::huggingface

// Steps of many sequences that decode, in shares: each thread takes its own sequences through all layers. Threads that
// share each product hand every row to each other five times a layer, and wait for each other as often; with shares
// they do once a step, but each thread reads all weights of the layers (the output matrix, which is large, they share
// again). Rows do not depend on each other, so bits are the same.
#pragma once

#include <cstdint>

#include "models/pass.h"

namespace baleen {

/// A thread's part of a step, a step of its own.
struct StepShare {
  Step step;
  int64_t wanted_before;  ///< wanted rows of the shares before it
};

/// The share of thread `index` of `threads`; its lists are in `scratch`. Each part of the step is one row.
StepShare take_share(const Step& step, int64_t index, int64_t threads, Workspace& scratch);
/// Of scratch that take_share() takes at most where a share has so many rows and wanted rows.
size_t share_bytes(int64_t rows, int64_t wanted);
/// The most of `rows` rows that a share may have.
inline int64_t share_rows(int64_t rows, int64_t threads) { return (rows + threads - 1) / threads; }

/// Which steps are run in shares: the way that took less time lately, for that depends on caches, on memory and on what
/// else a machine does. The other way is tried now and then.
class SharePolicy {
 public:
  SharePolicy() = default;
  /// `layer_bytes`: packed weights that a step reads, for each layer of the model.
  SharePolicy(int threads, int64_t layer_bytes) : threads_(threads), layer_bytes_(layer_bytes) {}

  /// Whether shares may pay for a step, so that its time is to be noted.
  bool possible(const Step& step) const;
  /// The way of the next step for which they may.
  bool in_shares() const { return in_shares_; }
  /// What that step took for each of its rows.
  void note(double seconds_of_row);

 private:
  void change_way();

  int threads_ = 1;
  int64_t layer_bytes_ = 0;
  bool in_shares_ = true, trying_ = false;
  int32_t steps_ = 0;       ///< one after another, this way
  int32_t next_trial_ = 0;  ///< after so many steps
  double lately_[2] = {};   ///< seconds of a row, of steps together and in shares
  double chosen_at_ = 0;    ///< what this way took when it was chosen
};

}  // namespace baleen

// Steps of many sequences that decode, in shares: each thread takes its own sequences through all layers. Threads that
// share each product hand every row to each other five times a layer, and wait for each other as often; with shares
// they do once a step, but each thread reads all weights. Rows do not depend on each other, so bits are the same.
#pragma once

#include <cstdint>
#include <span>

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

/// When steps are run in shares.
class SharePolicy {
 public:
  SharePolicy() = default;
  /// `layer_bytes`: packed weights that a step reads, for each layer of the model.
  SharePolicy(int threads, int64_t layer_bytes);

  /// Whether it pays for the step that is to be run next.
  bool suits(const Step& step);
  /// How long each thread took for its share. Where one takes much longer than another step after step, the system has
  /// taken a core away, and for some steps threads had better help each other.
  void note_seconds(std::span<const double> seconds);

 private:
  int threads_ = 1;
  int64_t layer_bytes_ = 0;
  int32_t uneven_steps_ = 0;    ///< one after another, those together left out
  int32_t steps_together_ = 0;  ///< that are to come
  int32_t next_together_ = 0;   ///< the next time
};

}  // namespace baleen

// What the blocks of a model share during one forward pass.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/compute.h"
#include "kernels/matmul.h"
#include "kernels/workspace.h"
#include "models/model.h"

namespace baleen {

struct Pass {
  const Compute& compute;
  const Step& step;
  PagePool& pool;
  Workspace& scratch;
  StepReport& report;

  const RowKernels& kernels() const { return compute.kernels->rows; }
  int64_t row_count() const { return static_cast<int64_t>(step.tokens.size()); }
  /// Uninitialised rows that live until the enclosing ScratchScope ends.
  Rows take_rows(int64_t count, int64_t width) const {
    return {scratch.take<float>(count * width), count, width, width};
  }
};

/// Gives back at its end what was taken from the workspace since its start.
class ScratchScope {
 public:
  explicit ScratchScope(Workspace& scratch) : scratch_(scratch), mark_(scratch.mark()) {}
  ~ScratchScope() { scratch_.back_to(mark_); }
  ScratchScope(const ScratchScope&) = delete;
  ScratchScope& operator=(const ScratchScope&) = delete;

 private:
  Workspace& scratch_;
  size_t mark_;
};

/// Bytes that Pass::take_rows() moves the workspace by, at most.
inline size_t rows_bytes(int64_t count, int64_t width) {
  return static_cast<size_t>(count * width) * sizeof(float) + 64;
}

/// Calls work(row) for every row, several neighbouring rows to a thread at a time.
template <class Work>
void for_each_row(const Pass& pass, int64_t count, const Work& work) {
  constexpr int64_t kChunk = 8;  // a few microseconds of work: more than handing it out costs
  pass.compute.pool->parallel_for((count + kChunk - 1) / kChunk, [&](int64_t chunk, int) {
    for (int64_t row = chunk * kChunk; row < std::min(count, (chunk + 1) * kChunk); ++row) work(row);
  });
}

}  // namespace baleen

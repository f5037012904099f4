// Decides which rows the next step computes, and who holds pages.
//
// First come, first served. A sequence is admitted when the pages for all tokens it has are free, and takes a
// page more whenever it grows into one. If the pool is dry then, the sequence that came last gives its pages
// back and waits at its old place; what it had is computed again later, with the same bits. The sequence that
// came first is never preempted and fits alone (the engine refuses what does not), so one always gets on.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "engine/sequence.h"
#include "kv/page_pool.h"
#include "models/model.h"

namespace baleen {

struct StepLimits {
  int32_t rows = 256;    ///< of one step
  int32_t wanted = 256;  ///< rows whose logits a step computes
};

/// What one sequence does in a step.
struct PlannedPart {
  Sequence* sequence = nullptr;
  int32_t first_row = 0, rows = 0;
  int32_t first_wanted = 0, wanted = 0;  ///< its wanted rows are its last ones
};

struct Plan {
  std::vector<PlannedPart> parts;
  // What Step's spans show.
  std::vector<int32_t> tokens, wanted_rows;
  std::vector<Step::Part> step_parts;
  bool empty() const { return parts.empty(); }
  Step step() const { return {tokens, step_parts, wanted_rows}; }
};

class Scheduler {
 public:
  Scheduler(PagePool& pool, const StepLimits& limits);

  void add(Sequence& sequence);
  /// The sequence will get no more rows; its pages go back.
  void remove(Sequence& sequence);
  /// The next step. Valid until the next call; the caller moves each sequence on by its part's rows.
  const Plan& plan();

  bool idle() const { return running_.empty() && waiting_.empty(); }
  uint64_t preemptions() const { return preemptions_; }
  size_t running() const { return running_.size(); }

 private:
  void admit();
  void grow();
  void take_pages(Sequence& sequence);
  void give_back_pages(Sequence& sequence);
  void preempt_last();
  void plan_part(Sequence& sequence, int32_t rows_left, int32_t wanted_left);

  PagePool& pool_;
  const StepLimits limits_;
  const size_t most_running_;
  // In order of arrival; all that run came before all that wait.
  std::vector<Sequence*> running_;
  std::deque<Sequence*> waiting_;
  Plan plan_;
  uint64_t preemptions_ = 0;
};

}  // namespace baleen

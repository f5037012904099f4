#include "cli/step_timer.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <span>
#include <utility>

#include "base/check.h"

namespace baleen {
namespace {

constexpr int32_t kStepRows = 512;

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

Result<StepTimer> StepTimer::make(const Model& model, KvType kv_type, int32_t streams, int32_t tokens) {
  if (auto checked = check_positions(model.params(), tokens); !checked) return error_of(checked);
  const KvLayout layout = model.kv_layout(kv_type);
  const int64_t pages = streams * ((int64_t{tokens} + kPageTokens - 1) / kPageTokens);
  auto pool = PagePool::make(layout, static_cast<size_t>(pages) * layout.page_bytes());
  if (!pool) return error_of(pool);
  StepTimer timer(model, std::move(*pool));
  timer.tables_.resize(static_cast<size_t>(streams));
  for (PageTable& table : timer.tables_)
    for (int64_t page = 0; page < pages / streams; ++page) table.pages.push_back(*timer.pool_.take());
  // As a server's pages have been used before: the system gives memory when it is first written.
  for (const PageTable& table : timer.tables_)
    for (const PageId page : table.pages) std::memset(timer.pool_.layer(page, 0), 0, layout.page_bytes());
  timer.parts_.resize(timer.tables_.size());
  timer.logits_.resize(timer.tables_.size() * static_cast<size_t>(model.params().vocab_rows));
  const int32_t rows = std::max(kStepRows, streams);
  timer.tokens_.resize(static_cast<size_t>(rows));
  timer.wanted_.resize(timer.tables_.size());
  timer.scratch_ = Workspace(model.scratch_bytes(rows, streams));
  return timer;
}

StepTimer::StepTimer(const Model& model, PagePool pool)
    : model_(model), pool_(std::move(pool)), scratch_(0) {}

void StepTimer::restart() {
  for (PageTable& table : tables_) table.tokens = 0;
}

/// Any tokens will do, but new ones each step: they choose the experts whose weights are read.
void StepTimer::draw_tokens() {
  for (int32_t& token : tokens_) {
    random_ = random_ * 1664525u + 1013904223u;
    token = static_cast<int32_t>((random_ >> 8) % static_cast<uint32_t>(model_.params().vocab_rows));
  }
}

void StepTimer::forward(int32_t streams, int32_t rows_of_each, bool last_wanted, StepSums& sums) {
  for (int32_t stream = 0; stream < streams; ++stream) {
    PageTable& table = tables_[static_cast<size_t>(stream)];
    parts_[static_cast<size_t>(stream)] = {&table, stream * rows_of_each, rows_of_each, table.tokens};
    table.tokens += rows_of_each;
    CHECK(static_cast<size_t>(table.tokens) <= table.pages.size() * kPageTokens);
    wanted_[static_cast<size_t>(stream)] = (stream + 1) * rows_of_each - 1;
  }
  draw_tokens();
  const auto count = static_cast<size_t>(streams);
  const Step step{std::span(tokens_).first(static_cast<size_t>(streams * rows_of_each)),
                  std::span(parts_).first(count), std::span(wanted_).first(last_wanted ? count : 0)};
  const double start = seconds();
  const StepReport report = model_.forward(step, pool_, scratch_, logits_.data());
  sums.seconds += seconds() - start;
  sums.routed_bytes += report.routed_bytes;
}

StepSums StepTimer::prefill(int32_t tokens) {
  restart();
  StepSums sums;
  for (int32_t done = 0; done < tokens; done += kStepRows) {
    const int32_t rows = std::min(kStepRows, tokens - done);
    forward(1, rows, done + rows == tokens, sums);
  }
  return sums;
}

StepSums StepTimer::decode(int32_t streams, int32_t context, int32_t steps) {
  restart();
  StepSums not_timed, sums;
  for (int32_t done = 0; done < context; ++done) forward(streams, 1, false, not_timed);
  for (int32_t done = 0; done < steps; ++done) forward(streams, 1, true, sums);
  return sums;
}

}  // namespace baleen

#include "engine/scheduler.h"

#include <algorithm>

#include "base/check.h"

namespace baleen {
namespace {

int32_t pages_for(int32_t tokens) { return (tokens + kPageTokens - 1) / kPageTokens; }

int32_t known_tokens(const Sequence& sequence) {
  return sequence.tokens.empty() ? sequence.request->prompt_size() : sequence.size();
}

/// How many of the next `rows` rows give logits that somebody needs: the last token's, and while the prompt
/// is being scored also those that predict the first unscored token and all after it.
int32_t wanted_rows(const Sequence& sequence, int32_t rows) {
  const int32_t first = sequence.pages.tokens, end = first + rows;
  const Request& request = *sequence.request;
  if (request.scores_missing()) {
    const auto next_scored = std::max(int32_t{1}, static_cast<int32_t>(request.prompt_scores.size()));
    return std::max(int32_t{0}, end - std::max(first, next_scored - 1));
  }
  return end == sequence.size() ? 1 : 0;
}

}  // namespace

// At most half of a step's rows are decode rows, so prompts always get on.
Scheduler::Scheduler(PagePool& pool, const StepLimits& limits)
    : pool_(pool),
      limits_(limits),
      most_running_(static_cast<size_t>(std::max(1, std::min(limits.wanted, limits.rows / 2)))) {
  CHECK(limits.rows > 0 && limits.wanted > 0);
  running_.reserve(most_running_);
  plan_.parts.reserve(most_running_);
  plan_.step_parts.reserve(most_running_);
  plan_.tokens.reserve(static_cast<size_t>(limits.rows));
  plan_.wanted_rows.reserve(static_cast<size_t>(limits.wanted));
}

void Scheduler::add(Sequence& sequence) { waiting_.push_back(&sequence); }

void Scheduler::remove(Sequence& sequence) {
  give_back_pages(sequence);
  if (std::erase(running_, &sequence) == 0) std::erase(waiting_, &sequence);
}

const Plan& Scheduler::plan() {
  plan_.parts.clear();
  plan_.step_parts.clear();
  plan_.tokens.clear();
  plan_.wanted_rows.clear();
  grow();
  admit();
  auto rows_left = [&] { return limits_.rows - static_cast<int32_t>(plan_.tokens.size()); };
  auto wanted_left = [&] { return limits_.wanted - static_cast<int32_t>(plan_.wanted_rows.size()); };
  for (Sequence* sequence : running_)
    if (sequence->decodes()) plan_part(*sequence, rows_left(), wanted_left());
  for (Sequence* sequence : running_)
    if (!sequence->decodes()) plan_part(*sequence, rows_left(), wanted_left());
  return plan_;
}

/// Gives every sequence that is about to start a new page that page, the first come first.
void Scheduler::grow() {
  for (size_t i = 0; i < running_.size(); ++i) {
    Sequence& sequence = *running_[i];
    while (i < running_.size() &&
           static_cast<int32_t>(sequence.pages.pages.size()) < pages_for(sequence.size())) {
      if (pool_.free_pages() > 0)
        take_pages(sequence);
      else
        preempt_last();
    }
  }
}

void Scheduler::admit() {
  while (!waiting_.empty() && running_.size() < most_running_) {
    Sequence& sequence = *waiting_.front();
    // The prompt's scores come before the text of any choice.
    if (sequence.choice > 0 && sequence.request->scores_missing()) return;
    // A page more for each that runs, lest the newcomer be preempted at once.
    const auto needed = pages_for(known_tokens(sequence)) + static_cast<int32_t>(running_.size());
    if (pool_.free_pages() < needed) return;
    waiting_.pop_front();
    if (sequence.tokens.empty()) {
      const std::vector<int32_t>& prompt = sequence.request->asked.prompt;
      sequence.tokens.reserve(static_cast<size_t>(sequence.most_tokens));
      sequence.tokens.assign(prompt.begin(), prompt.end());
      sequence.pages.pages.reserve(static_cast<size_t>(pages_for(sequence.most_tokens)));
    }
    take_pages(sequence);
    running_.push_back(&sequence);
  }
}

/// Pages for all tokens that the sequence has, as far as the pool goes.
void Scheduler::take_pages(Sequence& sequence) {
  while (static_cast<int32_t>(sequence.pages.pages.size()) < pages_for(sequence.size())) {
    const auto page = pool_.take();
    if (!page) return;
    sequence.pages.pages.push_back(*page);
  }
}

void Scheduler::give_back_pages(Sequence& sequence) {
  for (PageId page : sequence.pages.pages) pool_.give_back(page);
  sequence.pages.pages.clear();
  sequence.pages.tokens = 0;
}

void Scheduler::preempt_last() {
  CHECK(running_.size() > 1);  // the first one fits alone
  Sequence* last = running_.back();
  running_.pop_back();
  give_back_pages(*last);
  waiting_.push_front(last);
  ++preemptions_;
}

/// Adds the sequence's next rows, as many as fit.
void Scheduler::plan_part(Sequence& sequence, int32_t rows_left, int32_t wanted_left) {
  int32_t rows = std::min(rows_left, sequence.to_compute());
  rows -= std::max(0, wanted_rows(sequence, rows) - wanted_left);
  if (rows <= 0) return;
  const int32_t wanted = wanted_rows(sequence, rows), first = sequence.pages.tokens;
  const auto first_row = static_cast<int32_t>(plan_.tokens.size());
  const auto first_wanted = static_cast<int32_t>(plan_.wanted_rows.size());
  plan_.parts.push_back({&sequence, first_row, rows, first_wanted, wanted});
  plan_.step_parts.push_back({&sequence.pages, first_row, rows, first});
  plan_.tokens.insert(plan_.tokens.end(), sequence.tokens.begin() + first,
                      sequence.tokens.begin() + first + rows);
  for (int32_t row = first_row + rows - wanted; row < first_row + rows; ++row)
    plan_.wanted_rows.push_back(row);
}

}  // namespace baleen

#include "models/evaluator.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/check.h"

namespace baleen {

Evaluator::Evaluator(const Model& model, PagePool pool, int32_t chunk)
    : model_(model),
      pool_(std::move(pool)),
      scratch_(model.scratch_bytes(chunk, chunk)),
      logits_(static_cast<size_t>(chunk) * static_cast<size_t>(model.params().vocab_rows)),
      wanted_(static_cast<size_t>(chunk)) {
  while (const auto page = pool_.take()) pages_.pages.push_back(*page);
  std::iota(wanted_.begin(), wanted_.end(), 0);
}

Result<Evaluator> Evaluator::make(const Model& model, KvType kv_type, int32_t max_tokens, int32_t chunk) {
  if (auto checked = check_positions(model.params(), max_tokens); !checked) return error_of(checked);
  const KvLayout layout = model.kv_layout(kv_type);
  const int64_t pages = (int64_t{max_tokens} + kPageTokens - 1) / kPageTokens;
  auto pool = PagePool::make(layout, static_cast<size_t>(std::max<int64_t>(pages, 1)) * layout.page_bytes());
  if (!pool) return error_of(pool);
  return Evaluator(model, std::move(*pool), std::max(1, std::min(chunk, max_tokens)));
}

void Evaluator::evaluate(std::span<const int32_t> ids, const Visit& visit) {
  const auto vocab = static_cast<size_t>(model_.params().vocab_rows);
  for (size_t first = 0; first < ids.size();) {
    const size_t rows = std::min(wanted_.size(), ids.size() - first);
    const Step::Part part{&pages_, 0, static_cast<int32_t>(rows), pages_.tokens};
    pages_.tokens += static_cast<int32_t>(rows);
    CHECK(static_cast<size_t>(pages_.tokens) <= pages_.pages.size() * kPageTokens);
    const Step step{ids.subspan(first, rows), {&part, 1}, std::span(wanted_).first(rows)};
    model_.forward(step, pool_, scratch_, logits_.data());
    visit(first, std::span(logits_).first(rows * vocab));
    first += rows;
  }
}

}  // namespace baleen

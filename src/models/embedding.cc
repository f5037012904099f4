#include "models/embedding.h"

#include <algorithm>

#include "base/check.h"

namespace baleen {

Rows embed(const Pass& pass, const Linear& table) {
  const PackedMatrix& weights = table.weights();
  const Rows x = pass.take_rows(pass.row_count(), weights.cols());
  for_each_row(pass, x.count, [&](int64_t row) {
    const int32_t token = pass.step.tokens[static_cast<size_t>(row)];
    CHECK(token >= 0 && token < weights.rows());
    weights.unpack_row(token, x.row(row));
  });
  return x;
}

void keep_wanted(const Pass& pass, std::initializer_list<Rows*> all) {
  int64_t kept = 0;
  for (const int32_t row : pass.step.wanted) {
    for (const Rows* x : all) {
      CHECK(row >= kept && row < x->count);
      if (row != kept) std::copy_n(x->row(row), x->width, x->row(kept));
    }
    ++kept;
  }
  for (Rows* x : all) x->count = kept;
}

void add_ends(const Linear& table, const Linear& output, ModelCost& cost) {
  const bool tied = &output.weights() == &table.weights();
  const int64_t parameters = output.parameters() + (tied ? 0 : table.parameters());
  cost.macs_per_wanted_row += output.macs();
  cost.packed_bytes += static_cast<int64_t>(output.weights().bytes());
  cost.parameters += parameters;
  cost.active_parameters += parameters;
}

}  // namespace baleen

#include "models/moe.h"

#include <algorithm>

namespace baleen {
namespace {

/// Who goes where. An assignment is one row at one of its experts; they are sorted by expert, then by row.
struct Plan {
  int64_t assignments;
  int32_t* experts;  ///< [rows, used], ascending in a row
  float* weights;    ///< [rows, used]
  int32_t* places;   ///< [rows, used]: the assignment of each
  int32_t* rows;     ///< [assignments]: the row of each
  int32_t* first;    ///< [count + 1]: an expert's first assignment
};

Plan take_plan(const Pass& pass, const Router& router, int64_t rows) {
  const int64_t all = rows * router.used();
  return {.assignments = all,
          .experts = pass.scratch.take<int32_t>(all),
          .weights = pass.scratch.take<float>(all),
          .places = pass.scratch.take<int32_t>(all),
          .rows = pass.scratch.take<int32_t>(all),
          .first = pass.scratch.take<int32_t>(router.count() + 1)};
}

Plan route(const Pass& pass, const Router& router, Rows logits) {
  const Plan plan = take_plan(pass, router, logits.count);
  const Rows ranks = pass.take_rows(logits.count, router.rank_count());
  const int64_t used = router.used(), count = router.count();
  for_each_row(pass, logits.count, [&](int64_t row) {
    router.choose(logits.row(row), ranks.row(row), plan.experts + row * used, plan.weights + row * used);
  });
  std::fill_n(plan.first, count + 1, 0);
  for (int64_t i = 0; i < plan.assignments; ++i) ++plan.first[plan.experts[i] + 1];
  for (int64_t e = 0; e < count; ++e) plan.first[e + 1] += plan.first[e];
  for (int64_t i = 0; i < plan.assignments; ++i) {  // first[e] moves on to the end of e
    plan.places[i] = plan.first[plan.experts[i]]++;
    plan.rows[plan.places[i]] = static_cast<int32_t>(i / used);
  }
  for (int64_t e = count; e > 0; --e) plan.first[e] = plan.first[e - 1];  // and back
  plan.first[0] = 0;
  return plan;
}

Rows part(Rows rows, int64_t first, int64_t count) {
  return {rows.row(first), count, rows.width, rows.stride};
}

/// The products of one call: groups of one, in scratch.
class Groups {
 public:
  Groups(const Pass& pass, int64_t most)
      : groups_(pass.scratch.take<ProductGroup>(most)), products_(pass.scratch.take<Product>(most)) {}

  void add(Rows x, const int32_t* picked, const Product& product) {
    products_[size_] = product;
    groups_[size_] = {.x = x, .products = {&products_[size_], 1}, .picked = picked};
    ++size_;
  }
  void multiply(const Pass& pass) const { baleen::multiply(pass.compute, {groups_, size_}, pass.scratch); }

 private:
  ProductGroup* groups_;
  Product* products_;
  size_t size_ = 0;
};

/// x[row] += sum of weight * answer over the row's experts, in order of their indexes.
void add_answers(const Pass& pass, const Plan& plan, int64_t used, Rows answers, Rows x) {
  const Rows sums = pass.take_rows(x.count, x.width);
  for_each_row(pass, x.count, [&](int64_t row) {
    float* sum = sums.row(row);
    for (int64_t i = row * used; i < (row + 1) * used; ++i) {
      float* answer = answers.row(plan.places[i]);
      const bool first = i == row * used;
      pass.kernels().scale(answer, plan.weights[i], x.width, first ? sum : answer);
      if (!first) pass.kernels().add(answer, x.width, sum);
    }
    pass.kernels().add(sum, x.width, x.row(row));
  });
}

int64_t most_groups(const Moe& moe, int64_t rows) {
  return std::min<int64_t>(moe.router.count(), rows * moe.router.used()) + 1;
}

}  // namespace

void Moe::multiply_add(const Pass& pass, Rows h, Rows x) const {
  const ScratchScope scope(pass.scratch);
  const Plan plan = route(pass, router, gate.multiply(pass, h));
  const int64_t ffn = experts.front().gate.weights().rows(), most = most_groups(*this, h.count);
  const int64_t shared_ffn = has_shared ? shared.gate.weights().rows() : 0;
  const Rows hidden = pass.take_rows(plan.assignments, ffn);
  const Rows shared_hidden = pass.take_rows(h.count, shared_ffn);
  const Rows answers = pass.take_rows(plan.assignments, x.width);
  Groups in(pass, most), out(pass, most);
  for (size_t e = 0; e < experts.size(); ++e) {
    const int64_t first = plan.first[e], count = plan.first[e + 1] - first;
    if (count == 0) continue;
    const Rows own = part(hidden, first, count);
    in.add({h.data, count, h.width, h.stride}, plan.rows + first, experts[e].inner(own));
    out.add(own, nullptr, {experts[e].down.factor(), part(answers, first, count)});
    pass.report.routed_bytes += experts[e].packed_bytes();
  }
  if (has_shared) {
    in.add(h, nullptr, shared.inner(shared_hidden));
    out.add(shared_hidden, nullptr, {shared.down.factor(), x, Store::add});
  }
  in.multiply(pass);
  out.multiply(pass);
  add_answers(pass, plan, router.used(), answers, x);
}

size_t Moe::scratch_bytes(const Compute& compute, int64_t rows) const {
  const int64_t all = rows * router.used(), dim = gate.weights().cols();
  const int64_t ffn = experts.front().gate.weights().rows();
  const int64_t shared_ffn = has_shared ? shared.gate.weights().rows() : 0;
  const auto groups = static_cast<size_t>(most_groups(*this, rows));
  const MultiplySize product{.rows = all + rows,
                             .cols = std::max({dim, ffn, shared_ffn}),
                             .groups = most_groups(*this, rows),
                             .products = most_groups(*this, rows)};
  return rows_bytes(rows, router.count()) + rows_bytes(rows, router.rank_count()) + 4 * rows_bytes(all, 1) +
         rows_bytes(router.count() + 1, 1) + rows_bytes(all, ffn) + rows_bytes(rows, shared_ffn) +
         rows_bytes(all, dim) + rows_bytes(rows, dim) +
         2 * (groups * (sizeof(ProductGroup) + sizeof(Product)) + 2 * 64) +
         multiply_scratch_bytes(compute, product);
}

void Moe::add_cost(ModelCost& cost) const {
  gate.add_cost(cost);
  if (has_shared) shared.add_cost(cost);
  ModelCost one;
  experts.front().add_cost(one);
  const auto count = static_cast<int64_t>(experts.size());
  cost.macs_per_token += router.used() * one.macs_per_token;
  cost.active_parameters += router.used() * one.parameters;
  cost.parameters += count * one.parameters;
  cost.routed_bytes += count * one.packed_bytes;
}

}  // namespace baleen

#include "models/moe.h"

#include <algorithm>
#include <array>

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

/// The products of one call: groups of at most two, in scratch.
class Groups {
 public:
  Groups(const Pass& pass, int64_t most)
      : groups_(pass.scratch.take<ProductGroup>(most)),
        products_(pass.scratch.take<std::array<Product, 2>>(most)) {}

  void add(Rows x, const int32_t* picked, std::array<Product, 2> products, size_t count) {
    products_[size_] = products;
    groups_[size_] = {.x = x, .products = {products_[size_].data(), count}, .picked = picked};
    ++size_;
  }
  void multiply(const Pass& pass) const { baleen::multiply(pass.compute, {groups_, size_}, pass.scratch); }

 private:
  ProductGroup* groups_;
  std::array<Product, 2>* products_;
  size_t size_ = 0;
};

/// gate and up of an MLP.
std::array<Product, 2> inner(const Mlp& mlp, Rows gate, Rows up) {
  return {Product{&mlp.gate.weights(), gate}, Product{&mlp.up.weights(), up}};
}

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
  const Rows g = pass.take_rows(plan.assignments, ffn), u = pass.take_rows(plan.assignments, ffn);
  const Rows shared_g = pass.take_rows(h.count, shared_ffn), shared_u = pass.take_rows(h.count, shared_ffn);
  const Rows answers = pass.take_rows(plan.assignments, x.width);
  Groups in(pass, most), out(pass, most);
  for (size_t e = 0; e < experts.size(); ++e) {
    const int64_t first = plan.first[e], count = plan.first[e + 1] - first;
    if (count == 0) continue;
    const Rows eg = part(g, first, count), eu = part(u, first, count);
    in.add({h.data, count, h.width, h.stride}, plan.rows + first, inner(experts[e], eg, eu), 2);
    out.add(eg, nullptr, {Product{&experts[e].down.weights(), part(answers, first, count)}}, 1);
    pass.report.routed_bytes += experts[e].packed_bytes();
  }
  if (has_shared) {
    in.add(h, nullptr, inner(shared, shared_g, shared_u), 2);
    out.add(shared_g, nullptr, {Product{&shared.down.weights(), x, Store::add}}, 1);
  }
  in.multiply(pass);
  for_each_row(pass, plan.assignments, [&](int64_t i) { pass.kernels().silu_mul(g.row(i), u.row(i), ffn); });
  if (has_shared)
    for_each_row(pass, h.count,
                 [&](int64_t i) { pass.kernels().silu_mul(shared_g.row(i), shared_u.row(i), shared_ffn); });
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
                             .products = 2 * most_groups(*this, rows)};
  return rows_bytes(rows, router.count()) + rows_bytes(rows, router.rank_count()) + 4 * rows_bytes(all, 1) +
         rows_bytes(router.count() + 1, 1) + 2 * rows_bytes(all, ffn) + 2 * rows_bytes(rows, shared_ffn) +
         rows_bytes(all, dim) + rows_bytes(rows, dim) +
         2 * (groups * (sizeof(ProductGroup) + 2 * sizeof(Product)) + 2 * 64) +
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

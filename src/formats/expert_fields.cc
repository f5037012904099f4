#include "formats/expert_fields.h"

#include <fmt/format.h>

#include "formats/parameter_limits.h"

namespace baleen {
namespace {

void check_groups(Fields& fields, const ExpertKeys& keys, const ExpertParameters& experts) {
  if (experts.groups == 1) return;
  if (experts.count % experts.groups != 0)
    return fields.fail(keys.groups, fmt::format("is {}, which does not divide the {} experts", experts.groups,
                                                experts.count));
  const int32_t size = experts.count / experts.groups;
  if (experts.group_score == GroupScore::two_best && size < 2)
    return fields.fail(keys.groups, "makes groups of one expert, which are ranked by their two best");
  if (experts.used > experts.groups_used * size)
    fields.fail(keys.groups_used, fmt::format("is {}: groups of {} hold fewer than the {} experts of a token",
                                              experts.groups_used, size, experts.used));
}

}  // namespace

void read_experts(Fields& fields, const ExpertKeys& keys, HyperParameters& params) {
  ExpertParameters& experts = params.experts;
  const auto integer = [&](std::string_view key, Range<int32_t> range, int32_t fallback) {
    return key.empty() ? fallback : fields.integer(key, range, fallback);
  };
  experts.count = fields.integer(keys.count, {1, kMaxExperts});
  experts.used = fields.integer(keys.used, {1, kMaxExperts});
  if (experts.used > experts.count)
    fields.fail(keys.used, fmt::format("is {}, there are {} experts", experts.used, experts.count));
  experts.ffn_dim = fields.integer(keys.ffn_dim, kDimRange);
  experts.shared = integer(keys.shared, {0, kMaxExperts}, 0);
  experts.leading_dense_layers = integer(keys.leading_dense, {0, params.layers - 1}, 0);
  experts.groups = integer(keys.groups, {1, experts.count}, 1);
  experts.groups_used = integer(keys.groups_used, {1, experts.groups}, experts.groups);
  if (!keys.weight_scale.empty())
    experts.weight_scale = fields.real(keys.weight_scale, kExpertScaleRange, 1.0F);
  experts.normalise_weights = fields.flag(keys.normalise, experts.normalise_weights);
  check_groups(fields, keys, experts);
}

}  // namespace baleen

#include "formats/gguf_params.h"

#include <fmt/format.h>

#include "formats/error_text.h"
#include "formats/head_fields.h"
#include "formats/parameter_limits.h"
#include "formats/yarn.h"

namespace baleen {
namespace {

constexpr HeadKeys kHeadKeys = {".attention.head_count", ".attention.head_count_kv", ".attention.key_length",
                                ".attention.value_length"};

void read_yarn(GgufFields& fields, const HyperParameters& params, RopeParameters& rope) {
  rope.original_context =
      fields.integer(".rope.scaling.original_context_length", kContextRange, params.context);
  rope.beta_fast = fields.real(".rope.scaling.yarn_beta_fast", kFactorRange, 32.0F);
  rope.beta_slow = fields.real(".rope.scaling.yarn_beta_slow", kFactorRange, 1.0F);
  // "For legacy reasons" the file holds 0.1 * mscale_all_dim (llama.cpp pull request 17945); mscale is taken
  // as equal.
  rope.mscale_all_dim = fields.real(".rope.scaling.yarn_log_multiplier", kMscaleRange, 0.0F) * 10;
  rope.mscale = rope.mscale_all_dim;
  rope.attention_factor =
      fields.real(".rope.scaling.attn_factor", kFactorRange, 1.0F) * yarn_attention_factor(rope);
}

void read_rope(GgufFields& fields, HyperParameters& params) {
  RopeParameters& rope = params.rope;
  rope.theta = fields.real(".rope.freq_base", kThetaRange, 10000.0F);
  rope.dimensions = fields.integer(".rope.dimension_count", {2, params.key_dim}, params.key_dim);
  if (rope.dimensions % 2 != 0)
    fields.fail(".rope.dimension_count", fmt::format("is {}, which is odd", rope.dimensions));
  // Files from before rope.scaling.* have the factor of linear scaling alone, under an older name.
  const std::string_view factor_key =
      fields.has(".rope.scale_linear") ? ".rope.scale_linear" : ".rope.scaling.factor";
  const std::string_view type = fields.text(".rope.scaling.type", fields.has(factor_key) ? "linear" : "none");
  if (type == "linear") {
    rope.scaling = RopeScaling::linear;
    rope.factor = fields.real(factor_key, kFactorRange);
  } else if (type == "yarn") {
    rope.scaling = RopeScaling::yarn;
    rope.factor = fields.real(factor_key, kFactorRange);
    read_yarn(fields, params, rope);
  } else if (type != "none") {
    fields.fail(".rope.scaling.type",
                fmt::format("\"{}\" is unknown: none, linear and yarn are read", shown(type)));
  }
}

}  // namespace

Result<HyperParameters> read_gguf_params(GgufFields& fields, const Architecture& architecture) {
  HyperParameters params;
  params.architecture = architecture.name;
  params.rope.pairs = architecture.rope_pairs;
  params.layers = fields.integer(".block_count", kLayerRange);
  params.dim = fields.integer(".embedding_length", kDimRange);
  params.ffn_dim = fields.integer(".feed_forward_length", kDimRange);
  params.context = fields.integer(".context_length", kContextRange);
  params.sliding_window = fields.integer(".attention.sliding_window", {0, kContextRange.most}, 0);
  params.norm_eps = fields.real(".attention.layer_norm_rms_epsilon", kEpsRange);
  read_heads(fields, kHeadKeys, params);
  if (auto status = fields.status(); !status) return error_of(status);
  read_rope(fields, params);
  if (architecture.rope_gap > 0)
    for (int32_t layer = architecture.rope_gap - 1; layer < params.layers; layer += architecture.rope_gap)
      params.layers_without_rope.push_back(layer);
  if (fields.integer(".expert_count", {0, kMaxExperts}, 0) != 0)
    fields.fail(".expert_count", fmt::format("architecture {} has no experts here", architecture.name));
  if (fields.integer(".expert_used_count", {0, kMaxExperts}, 0) != 0)
    fields.fail(".expert_used_count", "is set, but there are no experts");
  if (auto status = fields.status(); !status) return error_of(status);
  return params;
}

}  // namespace baleen

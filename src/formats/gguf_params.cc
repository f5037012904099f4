#include "formats/gguf_params.h"

#include <fmt/format.h>

#include "formats/error_text.h"
#include "formats/parameter_limits.h"

namespace baleen {
namespace {

void read_heads(GgufFields& fields, HyperParameters& params) {
  params.heads = fields.integer(".attention.head_count", kHeadRange);
  params.kv_heads = fields.integer(".attention.head_count_kv", kHeadRange, params.heads);
  if (!fields.status()) return;
  if (params.heads % params.kv_heads != 0)
    fields.fail(".attention.head_count_kv",
                fmt::format("is {}, which does not divide the {} heads", params.kv_heads, params.heads));
  if (!fields.has(".attention.key_length") && params.dim % params.heads != 0)
    fields.fail(".attention.head_count", fmt::format("is {}, which does not divide the embedding_length {}",
                                                     params.heads, params.dim));
  params.key_dim = fields.integer(".attention.key_length", kHeadDimRange, params.dim / params.heads);
  params.value_dim = fields.integer(".attention.value_length", kHeadDimRange, params.key_dim);
  if (params.key_dim % 2 != 0 || params.key_dim < kHeadDimRange.least)
    fields.fail(fields.has(".attention.key_length") ? ".attention.key_length" : ".attention.head_count",
                fmt::format("heads of {} dimensions, which rope cannot turn in pairs", params.key_dim));
}

void read_yarn(GgufFields& fields, const HyperParameters& params, RopeParameters& rope) {
  rope.original_context =
      fields.integer(".rope.scaling.original_context_length", kContextRange, params.context);
  rope.attention_factor = fields.real(".rope.scaling.attn_factor", kFactorRange, 1.0F);
  rope.beta_fast = fields.real(".rope.scaling.yarn_beta_fast", kFactorRange, 32.0F);
  rope.beta_slow = fields.real(".rope.scaling.yarn_beta_slow", kFactorRange, 1.0F);
  // "For legacy reasons" the file holds 0.1 * mscale_all_dim (llama.cpp pull request 17945); mscale is taken
  // as equal.
  rope.mscale_all_dim = fields.real(".rope.scaling.yarn_log_multiplier", kMscaleRange, 0.0F) * 10;
  rope.mscale = rope.mscale_all_dim;
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
  read_heads(fields, params);
  if (auto status = fields.status(); !status) return error_of(status);
  read_rope(fields, params);
  if (fields.integer(".expert_count", {0, kMaxExperts}, 0) != 0)
    fields.fail(".expert_count", fmt::format("architecture {} has no experts here", architecture.name));
  if (fields.integer(".expert_used_count", {0, kMaxExperts}, 0) != 0)
    fields.fail(".expert_used_count", "is set, but there are no experts");
  if (auto status = fields.status(); !status) return error_of(status);
  return params;
}

}  // namespace baleen

#include "formats/gguf_params.h"

#include <fmt/format.h>

#include "formats/error_text.h"
#include "formats/gguf_keys.h"
#include "formats/parameter_limits.h"
#include "formats/yarn.h"

namespace baleen {
namespace {

/// Latent attention's scores are scaled by mscale(factor, mscale_all_dim), in llama.cpp by attn_factor times that of
/// the file (discussion 7416).
void scale_scores(float attn_factor, RopeParameters& rope) {
  if (attn_factor == 1 || rope.mscale_all_dim == 0 || rope.factor <= 1) return;
  const double wanted = attn_factor * yarn_mscale(rope.factor, rope.mscale_all_dim);
  rope.mscale_all_dim = rope.mscale = yarn_mscale_argument(rope.factor, wanted);
}

void read_yarn(GgufFields& fields, const HyperParameters& params, RopeParameters& rope) {
  rope.original_context =
      fields.integer(".rope.scaling.original_context_length", kContextRange, params.context);
  rope.beta_fast = fields.real(".rope.scaling.yarn_beta_fast", kFactorRange, 32.0F);
  rope.beta_slow = fields.real(".rope.scaling.yarn_beta_slow", kFactorRange, 1.0F);
  // "For legacy reasons" the file holds 0.1 * mscale_all_dim (llama.cpp pull request 17945); mscale is taken
  // as equal.
  rope.mscale_all_dim = fields.real(".rope.scaling.yarn_log_multiplier", kMscaleRange, 0.0F) * 10;
  rope.mscale = rope.mscale_all_dim;
  const float factor = fields.real(".rope.scaling.attn_factor", kFactorRange, 1.0F);
  rope.attention_factor = factor * yarn_attention_factor(rope);
  if (params.latent.exist()) scale_scores(factor, rope);
}

void read_rope(GgufFields& fields, HyperParameters& params) {
  RopeParameters& rope = params.rope;
  rope.theta = fields.real(".rope.freq_base", kThetaRange, 10000.0F);
  if (!params.latent.exist()) {
    rope.dimensions = fields.integer(gguf::kRopeDimensions, {2, params.key_dim}, params.key_dim);
    if (rope.dimensions % 2 != 0)
      fields.fail(gguf::kRopeDimensions, fmt::format("is {}, which is odd", rope.dimensions));
  }
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

/// Files with attn_k_b and attn_v_b state the latent's own width as key_length and value_length, and those of a head as
/// key_length_mla and value_length_mla; older ones state the head's.
void read_latents(GgufFields& fields, HyperParameters& params) {
  LatentParameters& latent = params.latent;
  params.heads = fields.integer(gguf::kHeads.heads, kHeadRange);
  read_latent_ranks(fields, gguf::kLatents, latent);
  const bool mla = fields.has(gguf::kHeadKeyLength);
  const std::string_view key_key = mla ? gguf::kHeadKeyLength : gguf::kHeads.key_dim;
  const int32_t key_dim = fields.integer(key_key, kHeadDimRange);
  latent.value_dim = fields.integer(mla ? gguf::kHeadValueLength : gguf::kHeads.value_dim, kHeadDimRange);
  latent.nope_dim = key_dim - latent.rope_dim;
  if (latent.nope_dim < 1)
    fields.fail(key_key,
                fmt::format("is {}, of which {} dimensions turn: none is left", key_dim, latent.rope_dim));
  const auto expect = [&](std::string_view key, int32_t expected) {
    if (const int32_t stated = fields.integer(key, kHeadDimRange, expected); stated != expected)
      fields.fail(key, fmt::format("is {}, the latent has {}", stated, expected));
  };
  if (mla) {
    expect(gguf::kHeads.key_dim, latent.kv_rank + latent.rope_dim);
    expect(gguf::kHeads.value_dim, latent.kv_rank);
  }
  finish_latents(fields, gguf::kHeads.kv_heads, true, params);
}

/// The selection bias shows in the tensors alone: read_gguf() completes it.
void read_mixture(GgufFields& fields, const Architecture& architecture, HyperParameters& params) {
  ExpertParameters& experts = params.experts;
  experts.normalise_weights = architecture.normalises_weights;
  // Files from before V3 do not say it: softmax.
  const int32_t gate =
      fields.integer(gguf::kExpertGate, {gguf::kSoftmaxGate, gguf::kSigmoidGate}, gguf::kSoftmaxGate);
  experts.gate = gate == gguf::kSigmoidGate ? ExpertGate::sigmoid : ExpertGate::softmax;
  experts.group_score = group_score_of(experts.gate);
  read_experts(fields, gguf::kExperts, params);
  if (experts.shared > 0 && !architecture.shared_experts)
    fields.fail(gguf::kExperts.shared,
                fmt::format("architecture {} has no shared experts", architecture.name));
}

void refuse_experts(GgufFields& fields, const Architecture& architecture) {
  if (fields.integer(gguf::kExperts.count, {0, kMaxExperts}, 0) != 0)
    fields.fail(gguf::kExperts.count, fmt::format("architecture {} has no experts here", architecture.name));
  if (fields.integer(gguf::kExperts.used, {0, kMaxExperts}, 0) != 0)
    fields.fail(gguf::kExperts.used, "is set, but there are no experts");
}

/// block_count counts prediction blocks too.
void read_layers(GgufFields& fields, HyperParameters& params) {
  const int32_t blocks = fields.integer(".block_count", kLayerRange);
  params.prediction_layers = fields.integer(".nextn_predict_layers", kPredictionRange, 0);
  if (params.prediction_layers >= blocks)
    fields.fail(".nextn_predict_layers",
                fmt::format("is {}, the model has {} blocks", params.prediction_layers, blocks));
  params.layers = blocks - params.prediction_layers;
}

}  // namespace

Result<HyperParameters> read_gguf_params(GgufFields& fields, const Architecture& architecture) {
  HyperParameters params;
  params.architecture = architecture.name;
  params.rope.pairs = architecture.rope_pairs;
  read_layers(fields, params);
  params.dim = fields.integer(".embedding_length", kDimRange);
  params.ffn_dim = fields.integer(".feed_forward_length", kDimRange);
  params.context = fields.integer(".context_length", kContextRange);
  params.sliding_window = fields.integer(".attention.sliding_window", {0, kContextRange.most}, 0);
  params.norm_eps = fields.real(".attention.layer_norm_rms_epsilon", kEpsRange);
  if (architecture.latent) {
    read_latents(fields, params);
  } else {
    read_heads(fields, gguf::kHeads, params);
  }
  if (auto status = fields.status(); !status) return error_of(status);
  read_rope(fields, params);
  if (architecture.rope_gap > 0)
    for (int32_t layer = architecture.rope_gap - 1; layer < params.layers; layer += architecture.rope_gap)
      params.layers_without_rope.push_back(layer);
  if (architecture.indexer) read_indexer(fields, gguf::kIndexer, gguf::kLatents.q_rank, params);
  if (architecture.experts) {
    read_mixture(fields, architecture, params);
  } else {
    refuse_experts(fields, architecture);
  }
  if (auto status = fields.status(); !status) return error_of(status);
  return params;
}

}  // namespace baleen

#include "formats/hub_params.h"

#include <fmt/format.h>

#include <algorithm>

#include "formats/error_text.h"
#include "formats/expert_fields.h"
#include "formats/head_fields.h"
#include "formats/latent_fields.h"
#include "formats/parameter_limits.h"
#include "formats/yarn.h"

namespace baleen {
namespace {

/// transformers' model types, what they are called here, and defaults of their configuration classes.
struct Family {
  std::string_view model_type, architecture;
  bool tied_embeddings;
};

constexpr Family kFamilies[] = {
    {"llama", "llama", false},           {"mistral", "llama", false},
    {"qwen2", "qwen2", false},           {"qwen3", "qwen3", false},
    {"qwen3_moe", "qwen3moe", false},    {"smollm3", "smollm3", true},
    {"deepseek_v2", "deepseek2", false}, {"deepseek_v3", "deepseek2", false},
    {"kimi_k2", "deepseek2", false},     {"deepseek_v32", "deepseek32", false},
};

constexpr float kDefaultEps = 1e-6F;  // LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config, SmolLM3Config
constexpr HeadKeys kHeadKeys = {"num_attention_heads", "num_key_value_heads", "head_dim", ""};

constexpr LatentKeys kLatentKeys = {"q_lora_rank", "kv_lora_rank", "qk_rope_head_dim"};
constexpr IndexerKeys kIndexerKeys = {"index_n_heads", "index_head_dim", "index_topk"};
constexpr ExpertKeys kExpertKeys = {.count = "num_experts",
                                    .used = "num_experts_per_tok",
                                    .ffn_dim = "moe_intermediate_size",
                                    .normalise = "norm_topk_prob"};
constexpr ExpertKeys kDeepseekExpertKeys = {.count = "n_routed_experts",
                                            .used = "num_experts_per_tok",
                                            .ffn_dim = "moe_intermediate_size",
                                            .shared = "n_shared_experts",
                                            .leading_dense = "first_k_dense_replace",
                                            .groups = "n_group",
                                            .groups_used = "topk_group",
                                            .weight_scale = "routed_scaling_factor",
                                            .normalise = "norm_topk_prob"};

/// rope_theta stands in rope_parameters in the newer style, beside it in the older; both must agree.
float read_theta(JsonFields& fields) {
  constexpr std::string_view kOld = "rope_theta", kNew = "rope_parameters.rope_theta";
  const float old_style = fields.real(kOld, kThetaRange, 10000.0F);
  const float theta = fields.real(kNew, kThetaRange, old_style);
  if (fields.has(kOld) && theta != old_style)
    fields.fail(kOld, fmt::format("is {}, rope_parameters says {}", old_style, theta));
  return theta;
}

class ScalingReader {
 public:
  ScalingReader(JsonFields& fields, HyperParameters& params) : fields_(fields), params_(params) {}

  void read() {
    const bool new_style = fields_.has("rope_parameters");
    object_ = new_style ? "rope_parameters" : "rope_scaling";
    const auto object = fields_.value(object_);
    if (!object) return;
    if (object->kind() != json::Kind::object) return fields_.fail(object_, "must be an object");
    const std::string type_key = key(fields_.has(key("rope_type")) ? "rope_type" : "type");
    const std::string_view type = fields_.text(type_key, "default");
    if (type == "default") return;
    RopeParameters& rope = params_.rope;
    rope.factor = fields_.real(key("factor"), kFactorRange);
    if (type == "linear") {
      rope.scaling = RopeScaling::linear;
    } else if (type == "llama3") {
      read_llama3(rope);
    } else if (type == "yarn") {
      read_yarn(rope);
    } else {
      fields_.fail(type_key,
                   fmt::format("\"{}\" is unknown: default, linear, llama3 and yarn are read", shown(type)));
    }
  }

 private:
  std::string key(std::string_view member) const { return fmt::format("{}.{}", object_, member); }

  void read_llama3(RopeParameters& rope) {
    rope.scaling = RopeScaling::llama3;
    rope.original_context = fields_.integer(key("original_max_position_embeddings"), kContextRange);
    rope.low_freq_factor = fields_.real(key("low_freq_factor"), kFactorRange);
    rope.high_freq_factor = fields_.real(key("high_freq_factor"), kFactorRange);
    if (rope.high_freq_factor <= rope.low_freq_factor)
      fields_.fail(key("high_freq_factor"), "must be above low_freq_factor");
  }

  void read_yarn(RopeParameters& rope) {
    rope.scaling = RopeScaling::yarn;
    rope.original_context =
        fields_.integer(key("original_max_position_embeddings"), kContextRange, params_.context);
    rope.beta_fast = fields_.real(key("beta_fast"), kFactorRange, 32.0F);
    rope.beta_slow = fields_.real(key("beta_slow"), kFactorRange, 1.0F);
    rope.mscale = fields_.real(key("mscale"), kMscaleRange, 0.0F);
    rope.mscale_all_dim = fields_.real(key("mscale_all_dim"), kMscaleRange, 0.0F);
    rope.attention_factor = fields_.real(key("attention_factor"), kFactorRange, yarn_attention_factor(rope));
  }

  JsonFields& fields_;
  HyperParameters& params_;
  std::string_view object_;
};

void read_rotated_share(JsonFields& fields, HyperParameters& params) {
  RopeParameters& rope = params.rope;
  const float share = fields.real("partial_rotary_factor", {0.0F, 1.0F}, 1.0F);
  rope.dimensions = static_cast<int32_t>(share * static_cast<float>(params.key_dim));
  if (rope.dimensions < 2 || rope.dimensions % 2 != 0)
    fields.fail("partial_rotary_factor", fmt::format("turns {} of {} dimensions, which are no pairs",
                                                     rope.dimensions, params.key_dim));
}

void read_rope(JsonFields& fields, HyperParameters& params) {
  params.rope.theta = read_theta(fields);
  if (params.latent.exist()) {
    const bool neighbours = fields.flag("rope_interleave", true);
    params.rope.pairs = neighbours ? RopePairs::neighbours : RopePairs::halves;
  } else {
    params.rope.pairs = RopePairs::halves;
    read_rotated_share(fields, params);
  }
  ScalingReader(fields, params).read();
}

/// transformers: layers from max_window_layers on have the window, or those that layer_types lists. Ours: all or none.
void read_window(JsonFields& fields, std::string_view model_type, HyperParameters& params) {
  if (model_type == "llama") return;
  if (model_type != "mistral" && !fields.flag("use_sliding_window", false)) return;
  const int32_t window = fields.integer("sliding_window", {1, kContextRange.most}, 0);
  if (window == 0 || model_type == "mistral") {
    params.sliding_window = window;
    return;
  }
  const int32_t first = fields.integer("max_window_layers", {0, kLayerRange.most}, 28);
  if (first >= params.layers) return;
  if (first != 0) fields.fail("max_window_layers", "windows on some layers only are not supported");
  params.sliding_window = window;
}

/// The newer style lists each layer's kind; it must say the same.
void check_layer_types(JsonFields& fields, const HyperParameters& params) {
  const auto types = fields.value("layer_types");
  if (!types) return;
  if (types->kind() != json::Kind::array || types->size() != static_cast<size_t>(params.layers))
    return fields.fail("layer_types", "must be an array with a name for each layer");
  const std::string_view expected = params.sliding_window > 0 ? "sliding_attention" : "full_attention";
  for (const auto [key, type] : *types)
    if (type.string() != expected)
      return fields.fail("layer_types", fmt::format("all layers must be \"{}\" here", expected));
}

/// SmolLM3: no_rope_layers holds 0 for a layer without rope, else every no_rope_layer_interval-th has none.
void read_layers_without_rope(JsonFields& fields, HyperParameters& params) {
  constexpr std::string_view kList = "no_rope_layers", kInterval = "no_rope_layer_interval";
  const auto list = fields.value(kList);
  if (!list) {
    const int32_t interval = fields.integer(kInterval, kLayerRange, 4);
    for (int32_t layer = interval - 1; layer < params.layers; layer += interval)
      params.layers_without_rope.push_back(layer);
    return;
  }
  if (list->kind() != json::Kind::array || list->size() != static_cast<size_t>(params.layers))
    return fields.fail(kList, "must be an array with a number for each layer");
  int32_t layer = 0;
  for (const auto [key, value] : *list) {
    const auto turns = value.integer();
    if (turns != 0 && turns != 1) return fields.fail(kList, "must hold 0 and 1");
    if (turns == 0) params.layers_without_rope.push_back(layer);
    ++layer;
  }
}

void read_latents(JsonFields& fields, HyperParameters& params) {
  params.heads = fields.integer(kHeadKeys.heads, kHeadRange);
  read_latent_ranks(fields, kLatentKeys, params.latent);
  params.latent.nope_dim = fields.integer("qk_nope_head_dim", {1, kHeadDimRange.most});
  params.latent.value_dim = fields.integer("v_head_dim", {1, kHeadDimRange.most});
  finish_latents(fields, kHeadKeys.kv_heads, false, params);
}

/// DeepSeek's gate and the way it chooses experts. Defaults: those of V2's and V3's configuration classes.
void read_deepseek_experts(JsonFields& fields, std::string_view model_type, HyperParameters& params) {
  const bool v2 = model_type == "deepseek_v2";
  ExpertParameters& experts = params.experts;
  const std::string_view method = fields.text("topk_method", v2 ? "greedy" : "noaux_tc");
  if (method != "greedy" && method != "group_limited_greedy" && method != "noaux_tc")
    fields.fail(
        "topk_method",
        fmt::format("\"{}\" is unknown: greedy, group_limited_greedy and noaux_tc are read", shown(method)));
  const std::string_view scores = fields.text("scoring_func", v2 ? "softmax" : "sigmoid");
  if (scores != "softmax" && scores != "sigmoid")
    fields.fail("scoring_func",
                fmt::format("\"{}\" is unknown: softmax and sigmoid are read", shown(scores)));
  experts.gate = scores == "sigmoid" ? ExpertGate::sigmoid : ExpertGate::softmax;
  experts.selection_bias = method == "noaux_tc";
  experts.group_score = experts.selection_bias ? GroupScore::two_best : GroupScore::best;
  experts.normalise_weights = !v2;
  read_experts(fields, kDeepseekExpertKeys, params);
  if (method == "greedy") experts.groups = experts.groups_used = 1;
  if (fields.integer("moe_layer_freq", kLayerRange, 1) != 1)
    fields.fail("moe_layer_freq", "must be 1: every layer behind the leading dense ones has experts");
}

void read_qwen3_experts(JsonFields& fields, HyperParameters& params) {
  read_experts(fields, kExpertKeys, params);
  if (fields.integer("decoder_sparse_step", kLayerRange, 1) != 1)
    fields.fail("decoder_sparse_step", "must be 1: every layer has experts");
  const auto dense = fields.value("mlp_only_layers");
  if (dense && (dense->kind() != json::Kind::array || dense->size() != 0))
    fields.fail("mlp_only_layers", "must be empty: every layer has experts");
}

/// attention_bias and mlp_bias, where the architecture leaves them open.
void read_biases(JsonFields& fields, HubConfig& config) {
  const auto read = [&](std::string_view key, std::string_view tensor) {
    const auto rules = config.architecture->layer_tensors;
    const auto rule = std::ranges::find(rules, tensor, &TensorRule::name);
    const bool stated = fields.flag(key, false);
    if (stated && (rule == rules.end() || rule->presence != Presence::optional))
      fields.fail(key, "is true, biases are not supported in this architecture");
    return stated;
  };
  config.attention_bias = read("attention_bias", "attn_output.bias");
  config.mlp_bias = read("mlp_bias", "ffn_down.bias");
}

/// What would change the arithmetic and is not supported.
void refuse_unsupported(JsonFields& fields) {
  const std::string_view activation = fields.text("hidden_act", "silu");
  if (activation != "silu" && activation != "swish")
    fields.fail("hidden_act", fmt::format("\"{}\" is not supported, silu is", shown(activation)));
}

/// FP8 as DeepSeek publishes it (arXiv 2412.19437, 3.3): E4M3 weights with a scale for each block.
WeightBlocks read_weight_blocks(JsonFields& fields) {
  WeightBlocks blocks;
  if (!fields.has("quantization_config")) return blocks;
  constexpr std::string_view kMethod = "quantization_config.quant_method",
                             kFormat = "quantization_config.fmt",
                             kSize = "quantization_config.weight_block_size";
  if (const auto method = fields.text(kMethod); method != "fp8")
    fields.fail(kMethod, fmt::format("\"{}\" is not supported, fp8 is", shown(method)));
  if (const auto format = fields.text(kFormat, "e4m3"); format != "e4m3")
    fields.fail(kFormat, fmt::format("\"{}\" is not supported, e4m3 is", shown(format)));
  const auto size = fields.value(kSize);
  if (!size || size->kind() != json::Kind::array || size->size() != 2) {
    fields.fail(kSize, "must be two numbers");
    return blocks;
  }
  int32_t* const ends[2] = {&blocks.rows, &blocks.cols};
  for (size_t count = 0; const auto [unused, value] : *size) {
    const auto number = value.kind() == json::Kind::integer ? value.integer() : std::nullopt;
    if (!number || *number < kWeightBlockRange.least || *number > kWeightBlockRange.most)
      fields.fail(
          kSize, fmt::format("must be numbers in {} to {}", kWeightBlockRange.least, kWeightBlockRange.most));
    *ends[count++] = static_cast<int32_t>(number.value_or(0));
  }
  return blocks;
}

}  // namespace

std::vector<int32_t> read_token_ids(JsonFields& fields, std::string_view key, int32_t rows) {
  std::vector<int32_t> ids;
  const auto value = fields.value(key);
  if (!value) return ids;
  if (value->kind() != json::Kind::array) {
    ids.push_back(fields.integer(key, {0, rows - 1}));
    return ids;
  }
  for (const auto [unused, element] : *value) {
    const auto id = element.kind() == json::Kind::integer ? element.integer() : std::nullopt;
    if (!id || *id < 0 || *id >= rows) {
      fields.fail(key, fmt::format("must hold token ids below {}", rows));
      break;
    }
    ids.push_back(static_cast<int32_t>(*id));
  }
  return ids;
}

std::string_view hub_architecture(JsonFields& fields) {
  const auto family = std::ranges::find(kFamilies, fields.text("model_type", ""), &Family::model_type);
  return family == std::end(kFamilies) ? std::string_view() : family->architecture;
}

Result<HubConfig> read_hub_config(JsonFields& fields) {
  HubConfig config;
  const std::string_view model_type = fields.text("model_type");
  const auto family = std::ranges::find(kFamilies, model_type, &Family::model_type);
  if (family == std::end(kFamilies))
    fields.fail("model_type", fmt::format("\"{}\" is not supported", shown(model_type)));
  if (auto status = fields.status(); !status) return error_of(status);
  config.architecture = find_architecture(family->architecture);
  config.tied_embeddings = fields.flag("tie_word_embeddings", family->tied_embeddings);

  HyperParameters& params = config.params;
  params.architecture = family->architecture;
  params.layers = fields.integer("num_hidden_layers", kLayerRange);
  params.dim = fields.integer("hidden_size", kDimRange);
  params.ffn_dim = fields.integer("intermediate_size", kDimRange);
  params.context = fields.integer("max_position_embeddings", kContextRange);
  params.vocab_rows = fields.integer("vocab_size", kVocabularyRange);
  params.norm_eps = fields.real("rms_norm_eps", kEpsRange, kDefaultEps);
  if (config.architecture->latent) {
    read_latents(fields, params);
  } else {
    read_heads(fields, kHeadKeys, params);
  }
  if (auto status = fields.status(); !status) return error_of(status);
  read_rope(fields, params);
  read_window(fields, model_type, params);
  check_layer_types(fields, params);
  if (model_type == "smollm3") read_layers_without_rope(fields, params);
  if (config.architecture->indexer) read_indexer(fields, kIndexerKeys, kLatentKeys.q_rank, params);
  if (config.architecture->latent) read_deepseek_experts(fields, model_type, params);
  if (model_type == "qwen3_moe") read_qwen3_experts(fields, params);
  params.prediction_layers = fields.integer("num_nextn_predict_layers", kPredictionRange, 0);
  read_biases(fields, config);
  refuse_unsupported(fields);
  config.weight_blocks = read_weight_blocks(fields);
  const auto bos = read_token_ids(fields, "bos_token_id", params.vocab_rows);
  config.bos = bos.empty() ? -1 : bos.front();
  config.eos = read_token_ids(fields, "eos_token_id", params.vocab_rows);
  if (auto status = fields.status(); !status) return error_of(status);
  return config;
}

}  // namespace baleen

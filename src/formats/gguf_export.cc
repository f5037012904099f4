#include "formats/gguf_export.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "formats/architecture.h"
#include "formats/gguf_file.h"
#include "formats/gguf_keys.h"
#include "formats/parameter_limits.h"
#include "formats/vocabulary_rules.h"
#include "formats/yarn.h"

namespace baleen {
namespace {

bool is_rewritten(std::string_view key) {
  return key == "general.file_type" || key == "general.quantization_version" || key == "general.alignment" ||
         key.starts_with("split.");
}

/// What gguf_params.cc turns into a model's attention factor and mscale_all_dim.
struct GgufMscale {
  float mscale_all_dim, attn_factor;
};

/// mscale is taken as equal to mscale_all_dim; where it is not, attn_factor holds the rest, and latents' scores, which
/// it scales too, are given less by mscale_all_dim.
GgufMscale gguf_mscale(const HyperParameters& params) {
  const RopeParameters& rope = params.rope;
  RopeParameters equal = rope;
  equal.mscale = rope.mscale_all_dim;
  GgufMscale said{rope.mscale_all_dim, rope.attention_factor / yarn_attention_factor(equal)};
  if (params.latent.exist() && rope.mscale_all_dim != 0 && said.attn_factor != 1)
    said.mscale_all_dim = yarn_mscale_argument(
        rope.factor, yarn_mscale(rope.factor, rope.mscale_all_dim) / double{said.attn_factor});
  return said;
}

/// Writes the architecture's keys: ".block_count" becomes "llama.block_count".
class ParamsWriter {
 public:
  ParamsWriter(const HyperParameters& params, const Architecture& architecture, GgufWriter& writer)
      : params_(params), architecture_(architecture), writer_(writer) {}

  void write() {
    const HyperParameters& p = params_;
    add(".block_count", p.layers);
    add(".context_length", p.context);
    add(".embedding_length", p.dim);
    add(".feed_forward_length", p.ffn_dim);
    add_real(".attention.layer_norm_rms_epsilon", p.norm_eps);
    add(".vocab_size", p.vocab_rows);
    if (p.sliding_window > 0) add(".attention.sliding_window", p.sliding_window);
    add(gguf::kHeads.heads, p.heads);
    if (p.latent.exist()) {
      write_latents(p.latent);
    } else {
      write_heads(p.kv_heads, p.key_dim, p.value_dim);
    }
    if (p.indexer.exist()) write_indexer(p.indexer);
    if (p.experts.exist()) write_experts(p.experts);
    write_rope(p.rope);
  }

 private:
  std::string full(std::string_view key) const { return params_.architecture + std::string(key); }
  void add(std::string_view key, int32_t value) { writer_.add_u32(full(key), static_cast<uint32_t>(value)); }
  void add_real(std::string_view key, float value) { writer_.add_f32(full(key), value); }

  void write_heads(int32_t kv_heads, int32_t key_dim, int32_t value_dim) {
    add(gguf::kHeads.kv_heads, kv_heads);
    add(gguf::kHeads.key_dim, key_dim);
    add(gguf::kHeads.value_dim, value_dim);
  }

  /// The latent counts as the one head of keys and values.
  void write_latents(const LatentParameters& latent) {
    write_heads(1, latent.kv_rank + latent.rope_dim, latent.kv_rank);
    add(gguf::kHeadKeyLength, latent.nope_dim + latent.rope_dim);
    add(gguf::kHeadValueLength, latent.value_dim);
    if (latent.q_rank > 0) add(gguf::kLatents.q_rank, latent.q_rank);
    add(gguf::kLatents.kv_rank, latent.kv_rank);
  }

  void write_indexer(const IndexerParameters& indexer) {
    add(gguf::kIndexer.heads, indexer.heads);
    add(gguf::kIndexer.key_dim, indexer.key_dim);
    add(gguf::kIndexer.top_k, indexer.top_k);
  }

  void write_experts(const ExpertParameters& experts) {
    const ExpertKeys& keys = gguf::kExperts;
    add(keys.count, experts.count);
    add(keys.used, experts.used);
    add(keys.ffn_dim, experts.ffn_dim);
    if (architecture_.shared_experts) {  // other families' files say nothing of these
      add(keys.shared, experts.shared);
      add(keys.leading_dense, experts.leading_dense_layers);
      add_real(keys.weight_scale, experts.weight_scale);
    }
    if (experts.groups > 1) {
      add(keys.groups, experts.groups);
      add(keys.groups_used, experts.groups_used);
    }
    writer_.add_bool(full(keys.normalise), experts.normalise_weights);
    add(gguf::kExpertGate, experts.gate == ExpertGate::sigmoid ? gguf::kSigmoidGate : gguf::kSoftmaxGate);
  }

  void write_rope(const RopeParameters& rope) {
    add(gguf::kRopeDimensions, rope.dimensions);
    add_real(".rope.freq_base", rope.theta);
    if (rope.scaling == RopeScaling::linear) {
      writer_.add_text(full(".rope.scaling.type"), "linear");
      add_real(".rope.scaling.factor", rope.factor);
    } else if (rope.scaling == RopeScaling::yarn) {
      write_yarn(rope);
    }
  }

  void write_yarn(const RopeParameters& rope) {
    writer_.add_text(full(".rope.scaling.type"), "yarn");
    add_real(".rope.scaling.factor", rope.factor);
    add(".rope.scaling.original_context_length", rope.original_context);
    add_real(".rope.scaling.yarn_beta_fast", rope.beta_fast);
    add_real(".rope.scaling.yarn_beta_slow", rope.beta_slow);
    const GgufMscale said = gguf_mscale(params_);
    if (said.mscale_all_dim != 0) add_real(".rope.scaling.yarn_log_multiplier", said.mscale_all_dim * 0.1F);
    if (said.attn_factor != 1) add_real(".rope.scaling.attn_factor", said.attn_factor);
  }

  const HyperParameters& params_;
  const Architecture& architecture_;
  GgufWriter& writer_;
};

/// What a GGUF file of this architecture cannot say.
Result<void> check_expressible(const HyperParameters& params, const Architecture& architecture) {
  const auto bad = [&](std::string_view field, std::string_view what) {
    return bad_input(fmt::format("{}: {} of architecture {}", field, what, params.architecture));
  };
  const ExpertParameters& experts = params.experts;
  if (experts.groups > 1 && experts.group_score != group_score_of(experts.gate))
    return bad("topk_method", "this way of ranking groups by these scores has no name in GGUF files");
  if (params.rope.scaling == RopeScaling::yarn) {
    const GgufMscale said = gguf_mscale(params);
    const auto [least, most] = kMscaleRange;
    if (!(said.mscale_all_dim >= least && said.mscale_all_dim <= most))
      return bad("rope_scaling.mscale", "so far from mscale_all_dim it has no name in GGUF files");
  }
  std::vector<int32_t> implied;
  if (architecture.rope_gap > 0)
    for (int32_t layer = architecture.rope_gap - 1; layer < params.layers; layer += architecture.rope_gap)
      implied.push_back(layer);
  if (params.layers_without_rope != implied) return bad("no_rope_layers", "these have no name in GGUF files");
  if (params.rope.scaling == RopeScaling::llama3 && !has_rope_freqs(params))
    return bad("rope_scaling", "llama3 has no name in GGUF files");
  return {};
}

std::string_view model_name(VocabularyKind kind) {
  switch (kind) {
    case VocabularyKind::byte_bpe:
      return "gpt2";
    case VocabularyKind::sentencepiece:
      return "llama";
    case VocabularyKind::none:
    case VocabularyKind::tokenizer_json:
      break;
  }
  return "no_vocab";
}

void add_id(std::string_view name, int32_t id, GgufWriter& writer) {
  if (id >= 0) writer.add_u32(fmt::format("tokenizer.ggml.{}_token_id", name), static_cast<uint32_t>(id));
}

/// The ends that neither eos nor their names make one: as eot and eom.
Result<void> add_other_ends(const Vocabulary& vocabulary, GgufWriter& writer) {
  Vocabulary named;
  named.tokens = vocabulary.tokens;
  named.types = vocabulary.types;
  named.end_of_generation = {vocabulary.eos};
  add_known_ends(named);
  std::vector<int32_t> rest;
  std::ranges::set_difference(vocabulary.end_of_generation, named.end_of_generation,
                              std::back_inserter(rest));
  constexpr std::string_view kNames[] = {"eot", "eom"};
  if (rest.size() > std::size(kNames))
    return bad_input(fmt::format("eos_token_id: {} ends of generation, GGUF files name three",
                                 vocabulary.end_of_generation.size()));
  for (size_t i = 0; i < rest.size(); ++i) add_id(kNames[i], rest[i], writer);
  return {};
}

}  // namespace

Result<void> copy_gguf_metadata(const Checkpoint& checkpoint, GgufWriter& writer) {
  Result<GgufFile> source = GgufFile::parse(checkpoint.files().front().bytes());
  if (!source) return error_of(source);
  for (const GgufEntry& entry : source->metadata.entries())
    if (!is_rewritten(entry.key)) writer.add(entry);
  return {};
}

Result<void> add_gguf_params(const Checkpoint& checkpoint, GgufWriter& writer) {
  const HyperParameters& params = checkpoint.params();
  const Architecture* architecture = find_architecture(params.architecture);
  if (auto ok = check_expressible(params, *architecture); !ok) return ok;
  writer.add_text("general.architecture", params.architecture);
  writer.add_text("general.name", checkpoint.name());
  ParamsWriter(params, *architecture, writer).write();
  return {};
}

Result<void> add_gguf_vocabulary(const Vocabulary& vocabulary, std::string_view chat_template,
                                 GgufWriter& writer) {
  writer.add_text("tokenizer.ggml.model", model_name(vocabulary.kind));
  if (!chat_template.empty()) writer.add_text("tokenizer.chat_template", chat_template);
  if (vocabulary.kind == VocabularyKind::none) return {};
  writer.add_text("tokenizer.ggml.pre", vocabulary.pre);
  writer.add_texts("tokenizer.ggml.tokens", vocabulary.tokens);
  std::vector<int32_t> types;
  for (const TokenType type : vocabulary.types) types.push_back(static_cast<int32_t>(type));
  writer.add_numbers("tokenizer.ggml.token_type", GgufType::i32, types);
  if (vocabulary.kind == VocabularyKind::byte_bpe) {
    writer.add_texts("tokenizer.ggml.merges", vocabulary.merges);
  } else {
    writer.add_numbers("tokenizer.ggml.scores", GgufType::f32, vocabulary.scores);
  }
  add_id("bos", vocabulary.bos, writer);
  add_id("eos", vocabulary.eos, writer);
  add_id("unknown", vocabulary.unk, writer);
  add_id("seperator", vocabulary.sep, writer);  // GGUF's spelling
  add_id("padding", vocabulary.pad, writer);
  writer.add_bool("tokenizer.ggml.add_bos_token", vocabulary.add_bos);
  writer.add_bool("tokenizer.ggml.add_eos_token", vocabulary.add_eos);
  writer.add_bool("tokenizer.ggml.add_space_prefix", vocabulary.add_space_prefix);
  return add_other_ends(vocabulary, writer);
}

bool has_rope_freqs(const HyperParameters& params) {
  const Architecture* architecture = find_architecture(params.architecture);
  return std::ranges::find(architecture->tensors, "rope_freqs.weight", &TensorRule::name) !=
         architecture->tensors.end();
}

}  // namespace baleen

// baleen inspect: what a model is, after everything in its files has been checked.
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "base/json.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/model_facts.h"
#include "cli/model_store.h"
#include "cli/report.h"
#include "formats/checkpoint.h"
#include "prompt/model_template.h"
#include "tokenizer/tokenizer.h"

namespace baleen {
namespace {

constexpr KvType kKvTypes[] = {KvType::f32, KvType::f16, KvType::i8};
using BytesPerToken = uint64_t (*)(const HyperParameters&, KvType);

std::string_view name(RopeScaling scaling) {
  switch (scaling) {
    case RopeScaling::none:
      return "none";
    case RopeScaling::linear:
      return "linear";
    case RopeScaling::yarn:
      return "yarn";
    case RopeScaling::llama3:
      return "llama3";
  }
  return "none";
}

void write_experts(json::Writer& writer, const ExpertParameters& experts) {
  writer.member("experts", experts.count).member("experts_used", experts.used);
  writer.member("shared_experts", experts.shared).member("expert_ffn_dim", experts.ffn_dim);
  writer.member("leading_dense_layers", experts.leading_dense_layers);
  writer.member("expert_groups", experts.groups).member("expert_groups_used", experts.groups_used);
  writer.member("expert_gate", experts.gate == ExpertGate::sigmoid ? "sigmoid" : "softmax");
  writer.member("expert_selection_bias", experts.selection_bias);
  writer.member("expert_weights_normalised", experts.normalise_weights);
  writer.member("expert_weight_scale", experts.weight_scale);
}

void write_params(json::Writer& writer, const HyperParameters& params) {
  writer.key("hyper_parameters").begin_object();
  writer.member("layers", params.layers).member("dim", params.dim).member("ffn_dim", params.ffn_dim);
  writer.member("heads", params.heads).member("kv_heads", params.kv_heads);
  writer.member("key_dim", params.key_dim).member("value_dim", params.value_dim);
  writer.member("vocab_rows", params.vocab_rows).member("context", params.context);
  writer.member("sliding_window", params.sliding_window).member("norm_eps", params.norm_eps);
  writer.key("rope").begin_object();
  writer.member("theta", params.rope.theta).member("dimensions", params.rope.dimensions);
  writer.member("pairs", params.rope.pairs == RopePairs::halves ? "halves" : "neighbours");
  writer.member("scaling", name(params.rope.scaling)).member("factor", params.rope.factor).end_object();
  if (const LatentParameters& latent = params.latent; latent.exist()) {
    writer.key("latent").begin_object();
    writer.member("q_rank", latent.q_rank).member("kv_rank", latent.kv_rank);
    writer.member("nope_dim", latent.nope_dim).member("rope_dim", latent.rope_dim).end_object();
  }
  if (const IndexerParameters& indexer = params.indexer; indexer.exist()) {
    writer.key("indexer").begin_object().member("heads", indexer.heads);
    writer.member("key_dim", indexer.key_dim).member("top_k", indexer.top_k).end_object();
  }
  if (params.experts.exist()) write_experts(writer, params.experts);
  writer.member("prediction_layers", params.prediction_layers).end_object();
}

void write_tensors(json::Writer& writer, const Checkpoint& checkpoint, const ModelFacts& facts) {
  writer.key("tensors").begin_object();
  writer.member("count", checkpoint.tensors().size()).member("bytes", facts.tensor_bytes);
  writer.key("types").begin_object();
  for (const auto& [type, use] : facts.types) {
    writer.key(type).begin_object().member("tensors", use.tensors).member("parameters", use.parameters);
    writer.member("bytes", use.bytes).end_object();
  }
  writer.end_object().end_object();
}

/// What cuts a text into pieces before its tokens are looked for.
std::string_view pre_tokenizer(const Vocabulary& vocabulary) {
  if (vocabulary.kind == VocabularyKind::tokenizer_json) return "tokenizer.json";
  return vocabulary.pre;
}

/// `tokenizer` is null where the model has none.
void write_tokenizer(json::Writer& writer, const Vocabulary& vocabulary, const Tokenizer* tokenizer) {
  writer.key("tokenizer").begin_object().member("kind", tokenizer == nullptr ? "none" : tokenizer->kind());
  if (tokenizer != nullptr) {
    writer.member("pre", pre_tokenizer(vocabulary)).member("tokens", tokenizer->size());
    writer.member("bos", tokenizer->bos()).member("eos", tokenizer->eos());
    writer.key("end_of_generation").begin_array();
    for (const int32_t id : tokenizer->end_of_generation()) writer.value(id);
    writer.end_array();
  }
  writer.end_object();
}

void write_kv(json::Writer& writer, std::string_view key, const HyperParameters& params,
              BytesPerToken bytes_per_token) {
  writer.key(key).begin_object();
  for (const KvType type : kKvTypes) writer.member(baleen::name(type), bytes_per_token(params, type));
  writer.end_object();
}

void print_json(const Checkpoint& checkpoint, const Tokenizer* tokenizer) {
  const ModelFacts facts = gather_facts(checkpoint);
  json::Writer writer;
  writer.begin_object().member("name", checkpoint.name());
  writer.member("architecture", checkpoint.params().architecture);
  writer.member("file_bytes", checkpoint.file_bytes());
  write_params(writer, checkpoint.params());
  writer.key("parameters").begin_object().member("total", facts.parameters);
  writer.member("active", facts.active_parameters).end_object();
  write_tensors(writer, checkpoint, facts);
  if (facts.prediction.tensors > 0) {
    writer.key("prediction_blocks").begin_object().member("tensors", facts.prediction.tensors);
    writer.member("parameters", facts.prediction.parameters).member("bytes", facts.prediction.bytes);
    writer.end_object();
  }
  write_kv(writer, "kv_bytes_per_token", checkpoint.params(), kv_bytes_per_token);
  write_kv(writer, "kv_bytes_per_token_multi_head", checkpoint.params(), multi_head_bytes_per_token);
  write_tokenizer(writer, checkpoint.vocabulary(), tokenizer);
  writer.member("template_family", facts.template_family).end_object();
  std::printf("%s\n", writer.text().c_str());
}

/// Three digits and a unit: "134.5 M".
std::string rounded(double value, double step, const char* const (&units)[5]) {
  int unit = 0;
  for (; value >= step && unit < 4; ++unit) value /= step;
  char text[32];
  std::snprintf(text, sizeof(text), unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
  return text;
}

std::string count_text(int64_t value) {
  constexpr const char* kUnits[5] = {"", "thousand", "million", "billion", "trillion"};
  return rounded(static_cast<double>(value), 1000, kUnits);
}

std::string bytes_text(uint64_t value) {
  constexpr const char* kUnits[5] = {"B", "KiB", "MiB", "GiB", "TiB"};
  return rounded(static_cast<double>(value), 1024, kUnits);
}

void print_line(const char* label, const std::string& text) {
  std::printf("%-14s %s\n", label, text.c_str());
}

/// What a token leaves in the cache.
std::string keys_text(const HyperParameters& params) {
  if (const LatentParameters& latent = params.latent; latent.exist())
    return "one latent of " + std::to_string(latent.kv_rank) + " + " + std::to_string(latent.rope_dim) +
           " for keys and values";
  return std::to_string(params.kv_heads) + " for keys and values" +
         (params.sliding_window > 0 ? ", window " + std::to_string(params.sliding_window) : "");
}

std::string experts_text(const ExpertParameters& experts) {
  std::string text = std::to_string(experts.used) + " of " + std::to_string(experts.count) + " per token";
  if (experts.groups > 1)
    text +=
        " in " + std::to_string(experts.groups_used) + " of " + std::to_string(experts.groups) + " groups";
  text += ", " + std::to_string(experts.shared) + " shared, each of " + std::to_string(experts.ffn_dim);
  if (experts.leading_dense_layers > 0)
    text += "; dense layers in front: " + std::to_string(experts.leading_dense_layers);
  return text;
}

/// "1.1 KiB as f32, 576 B as f16, 324 B as i8"
std::string kv_text(const HyperParameters& params, BytesPerToken bytes_per_token) {
  std::string text;
  for (const KvType type : kKvTypes)
    text += (text.empty() ? "" : ", ") + bytes_text(bytes_per_token(params, type)) + " as " +
            std::string(baleen::name(type));
  return text;
}

void print_shape(const HyperParameters& params) {
  print_line("layers", std::to_string(params.layers) + " of width " + std::to_string(params.dim) + ", mlp " +
                           std::to_string(params.ffn_dim));
  print_line("attention", std::to_string(params.heads) + " heads of " + std::to_string(params.key_dim) +
                              ", " + keys_text(params));
  if (const IndexerParameters& indexer = params.indexer; indexer.exist())
    print_line("indexer", std::to_string(indexer.heads) + " heads of " + std::to_string(indexer.key_dim) +
                              " choose " + std::to_string(indexer.top_k) + " keys");
  if (params.experts.exist()) print_line("experts", experts_text(params.experts));
  print_line("context", std::to_string(params.context) + " tokens, rope theta " +
                            std::to_string(static_cast<int64_t>(params.rope.theta)) + ", scaling " +
                            std::string(name(params.rope.scaling)));
}

void print_tokenizer(const Vocabulary& vocabulary, const Tokenizer* tokenizer) {
  if (tokenizer == nullptr) {
    print_line("tokenizer", "none: token ids only");
    return;
  }
  std::string ends;
  for (const int32_t id : tokenizer->end_of_generation())
    ends += (ends.empty() ? "" : ", ") + std::string(tokenizer->bytes(id));
  print_line("tokenizer", std::string(tokenizer->kind()) + ", " + std::to_string(tokenizer->size()) +
                              " tokens, pre-tokenizer " + clean_line(pre_tokenizer(vocabulary)) +
                              ", ends: " + clean_line(ends));
}

void print_page(const Checkpoint& checkpoint, const Tokenizer* tokenizer) {
  const ModelFacts facts = gather_facts(checkpoint);
  print_line("name", clean_line(checkpoint.name()));
  print_line("architecture", checkpoint.params().architecture);
  print_line("parameters",
             count_text(facts.parameters) + (facts.active_parameters < facts.parameters
                                                 ? ", " + count_text(facts.active_parameters) + " active"
                                                 : ""));
  print_shape(checkpoint.params());
  print_line("weights", bytes_text(facts.tensor_bytes) + " in " +
                            std::to_string(checkpoint.tensors().size()) + " tensors");
  for (const auto& [type, use] : facts.types)
    print_line("", std::string(type) + ": " + bytes_text(use.bytes) + " in " + std::to_string(use.tensors));
  if (facts.prediction.tensors > 0)
    print_line("not loaded", "next-token prediction: " + count_text(facts.prediction.parameters) + " in " +
                                 std::to_string(facts.prediction.tensors) + " tensors");
  print_line("kv per token", kv_text(checkpoint.params(), kv_bytes_per_token));
  if (checkpoint.params().latent.exist())
    print_line("", "multi-head attention: " + kv_text(checkpoint.params(), multi_head_bytes_per_token));
  print_tokenizer(checkpoint.vocabulary(), tokenizer);
  print_line("template", std::string(facts.template_family));
}

/// Made of what the files say, as their template has to be too; nothing where they have no vocabulary.
Result<std::optional<Tokenizer>> make_tokenizer(const Checkpoint& checkpoint) {
  if (checkpoint.vocabulary().kind == VocabularyKind::none) return std::nullopt;
  auto tokenizer = Tokenizer::make(checkpoint.vocabulary());
  if (!tokenizer) return std::unexpected(checkpoint.locate(tokenizer.error()));
  if (auto chat = model_template(checkpoint, &*tokenizer); !chat) return error_of(chat);
  return std::move(*tokenizer);
}

Result<void> inspect(const std::string& model, bool as_json) {
  auto path = find_model(model);
  if (!path) return error_of(path);
  auto checkpoint = Checkpoint::open(*path);
  if (!checkpoint) return error_of(checkpoint);
  auto tokenizer = make_tokenizer(*checkpoint);
  if (!tokenizer) return error_of(tokenizer);
  const Tokenizer* made = *tokenizer ? &**tokenizer : nullptr;
  if (as_json) {
    print_json(*checkpoint, made);
  } else {
    print_page(*checkpoint, made);
  }
  return {};
}

}  // namespace

void add_inspect(CommandLine& program) {
  struct Options {
    std::string model;
    bool as_json = false;
  };
  auto options = std::make_shared<Options>();
  Command command = program.add_command("inspect", "Check a model's files and show what it is");
  command.add_option("MODEL", options->model, kModelHelp).required();
  command.add_flag("--json", options->as_json, "one JSON object");
  command.runs([options] { return report(inspect(options->model, options->as_json)); });
}

}  // namespace baleen

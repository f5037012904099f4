// Hugging Face folders become the parts of a Checkpoint: config.json, safetensors in one file or in shards with their
// index, generation_config.json, tokenizer.json. Files may be symbolic links, as in the hub's cache.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/json.h"
#include "formats/checkpoint_parts.h"
#include "formats/error_text.h"
#include "formats/hub_index.h"
#include "formats/hub_names.h"
#include "formats/hub_params.h"
#include "formats/hub_scales.h"
#include "formats/safetensors.h"
#include "formats/tensor_check.h"

namespace baleen {
namespace {

namespace fs = std::filesystem;

std::string_view text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

/// The text of a file that may be missing: empty then.
Result<std::string> read_optional(const fs::path& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return std::string();
  auto file = MappedFile::open(path);
  if (!file) return error_of(file);
  if (file->bytes().size() > json::kFileLimits.bytes)
    return in_file(path, {ErrorKind::bad_input, "size: over 64 MiB"});
  return std::string(text_of(*file));
}

Result<void> read_vocabulary(const fs::path& folder, Vocabulary& vocabulary) {
  auto text = read_optional(folder / "tokenizer.json");
  if (!text) return error_of(text);
  auto config = read_optional(folder / "tokenizer_config.json");
  if (!config) return error_of(config);
  vocabulary.kind = text->empty() ? VocabularyKind::none : VocabularyKind::tokenizer_json;
  vocabulary.tokenizer_json = std::move(*text);
  vocabulary.tokenizer_config_json = std::move(*config);
  return {};
}

Result<json::Document> parse_object(const fs::path& path, std::string_view text) {
  auto document = json::Document::parse(text, json::kFileLimits);
  if (!document) return in_file(path, std::move(document.error()));
  if (document->root().kind() != json::Kind::object)
    return in_file(path, {ErrorKind::bad_input, "must be a JSON object"});
  return document;
}

/// One template, or a list of {"name", "template"}, of which "default" is meant, else the first.
Result<std::string> template_of(const json::Value& value) {
  if (value.is_null()) return std::string();
  if (const auto text = value.string()) return std::string(*text);
  std::optional<std::string_view> found;
  for (const auto& [key, entry] : value) {
    const auto name = entry.find("name"), source = entry.find("template");
    if (!name || !source || !source->string()) break;
    if (!found || name->string() == "default") found = source->string();
  }
  if (found) return std::string(*found);
  return bad_input("chat_template: must be a text, or a list of objects with name and template");
}

/// chat_template.jinja, else the chat_template of tokenizer_config.json; empty where there is none.
Result<std::string> read_template(const fs::path& folder, std::string_view tokenizer_config) {
  auto text = read_optional(folder / "chat_template.jinja");
  if (!text || !text->empty() || tokenizer_config.empty()) return text;
  const fs::path path = folder / "tokenizer_config.json";
  auto config = parse_object(path, tokenizer_config);
  if (!config) return error_of(config);
  auto found = template_of(config->root().find("chat_template").value_or({}));
  if (!found) return in_file(path, std::move(found.error()));
  return found;
}

Result<HubConfig> read_config(const fs::path& folder, CheckpointParts& parts) {
  const fs::path path = folder / "config.json";
  auto file = MappedFile::open(path);
  if (!file) return error_of(file);
  auto document = parse_object(path, text_of(*file));
  if (!document) return error_of(document);
  JsonFields fields(document->root());
  auto config = read_hub_config(fields);
  if (!config) return in_file(path, std::move(config.error()));
  parts.header_bytes.push_back(file->bytes().size());  // counts in the fingerprint
  parts.files.push_back(std::move(*file));
  return config;
}

/// Ends of generation: what config.json and generation_config.json name.
Result<void> read_ends(const fs::path& folder, const HubConfig& config, Vocabulary& vocabulary) {
  vocabulary.bos = config.bos;
  vocabulary.eos = config.eos.empty() ? -1 : config.eos.front();
  vocabulary.end_of_generation = config.eos;
  const fs::path path = folder / "generation_config.json";
  auto text = read_optional(path);
  if (!text) return error_of(text);
  if (!text->empty()) {
    auto document = parse_object(path, *text);
    if (!document) return error_of(document);
    JsonFields fields(document->root());
    std::ranges::copy(read_token_ids(fields, "eos_token_id", config.params.vocab_rows),
                      std::back_inserter(vocabulary.end_of_generation));
    if (auto status = fields.status(); !status) return in_file(path, std::move(status.error()));
  }
  auto& ends = vocabulary.end_of_generation;
  std::ranges::sort(ends);
  const auto twins = std::ranges::unique(ends);
  ends.erase(twins.begin(), twins.end());
  return {};
}

/// Tensors that stand in published checkpoints and that no step reads: rope's frequencies, which follow
/// from config.json.
bool is_unused(std::string_view name) { return name.ends_with(".inv_freq"); }

Result<Tensor> to_tensor(const SafetensorsEntry& entry) {
  const auto bad = [&](std::string_view what) {
    return bad_input(fmt::format("tensor {} at byte {}: {}", shown(entry.name), entry.offset, what));
  };
  auto name = gguf_name(entry.name);
  if (!name) return bad("no known architecture has such a tensor");
  if (!entry.type) return bad(fmt::format("dtype {} is not supported", entry.dtype));
  const size_t rank = entry.shape.size();
  if (rank < 1 || rank > 2) return bad(fmt::format("has {} dimensions", rank));
  Tensor tensor;
  tensor.name = std::move(*name);
  tensor.type = *entry.type;
  tensor.dimensions = static_cast<int>(rank);
  tensor.cols = entry.shape[rank - 1];
  tensor.rows = rank == 2 ? entry.shape[0] : 1;
  tensor.bytes = entry.bytes;
  tensor.file_offset = entry.offset;
  return tensor;
}

Result<void> read_shard(const fs::path& path, const HubIndex* index, CheckpointParts& parts) {
  auto file = MappedFile::open(path);
  if (!file) return error_of(file);
  auto shard = SafetensorsFile::parse(file->bytes());
  if (!shard) return in_file(path, std::move(shard.error()));
  if (index != nullptr)
    if (auto checked = index->check(path.filename().string(), shard->entries); !checked)
      return in_file(path, std::move(checked.error()));
  for (const SafetensorsEntry& entry : shard->entries) {
    if (is_unused(entry.name)) continue;
    auto tensor = to_tensor(entry);
    if (!tensor) return in_file(path, std::move(tensor.error()));
    parts.tensors.push_back(std::move(*tensor));
  }
  parts.header_bytes.push_back(shard->header_bytes);
  parts.files.push_back(std::move(*file));
  return {};
}

Result<void> read_tensors(const fs::path& folder, CheckpointParts& parts) {
  const fs::path single = folder / "model.safetensors", index_path = folder / "model.safetensors.index.json";
  std::error_code ignored;
  if (fs::exists(single, ignored) || !fs::exists(index_path, ignored))
    return read_shard(single, nullptr, parts);
  auto text = read_optional(index_path);
  if (!text) return error_of(text);
  auto index = HubIndex::parse(*text);
  if (!index) return in_file(index_path, std::move(index.error()));
  for (const std::string& shard : index->files())
    if (auto read = read_shard(folder / shard, &*index, parts); !read) return read;
  return {};
}

/// What config.json says of biases is what the tensors are.
Result<void> check_biases(const HubConfig& config, std::span<const Tensor> tensors) {
  const auto check = [&](std::string_view key, bool stated,
                         std::span<const std::string_view> stems) -> Result<void> {
    for (int32_t layer = 0; layer < config.params.layers; ++layer)
      for (const std::string_view stem : stems) {
        const std::string name = fmt::format("blk.{}.{}.bias", layer, stem);
        if ((find_tensor(tensors, name) != nullptr) != stated)
          return bad_input(fmt::format("config.json: {}: is {}, tensor {} is {}", key, stated, hub_name(name),
                                       stated ? "missing" : "there"));
      }
    return {};
  };
  constexpr std::string_view kAttention[] = {"attn_q", "attn_k", "attn_v", "attn_output"};
  constexpr std::string_view kMlp[] = {"ffn_gate", "ffn_up", "ffn_down"};
  if (config.architecture->name != "llama") return {};  // others have all of theirs or none
  if (auto ok = check("attention_bias", config.attention_bias, kAttention); !ok) return ok;
  return check("mlp_bias", config.mlp_bias, kMlp);
}

/// Sorts, and settles what tied embeddings mean: an output matrix beside them is legal and not used.
Result<void> check_model(const HubConfig& config, CheckpointParts& parts) {
  std::ranges::sort(parts.tensors, {}, &Tensor::name);
  const auto twin = std::ranges::adjacent_find(parts.tensors, {}, &Tensor::name);
  if (twin != parts.tensors.end())
    return bad_input(
        fmt::format("tensor {} at byte {}: is there twice", hub_name(twin->name), twin->file_offset));
  if (auto attached = attach_scales(config.weight_blocks, parts.tensors); !attached) return attached;
  const TensorTable table{parts.tensors, "safetensors header at byte 8", hub_name, true};
  if (auto checked = check_tensors(table, *config.architecture, config.params); !checked) return checked;
  if (auto checked = check_biases(config, parts.tensors); !checked) return checked;
  const bool has_output = find_tensor(parts.tensors, "output.weight") != nullptr;
  if (!config.tied_embeddings && !has_output)
    return bad_input(
        "tensor lm_head.weight (safetensors header at byte 8): is missing, and tie_word_embeddings is false");
  if (config.tied_embeddings)
    std::erase_if(parts.tensors, [](const Tensor& t) { return t.name == "output.weight"; });
  return {};
}

/// The architecture that config.json names; empty where it names none that is known.
Result<std::string> read_architecture(const fs::path& folder) {
  const fs::path path = folder / "config.json";
  auto text = read_optional(path);
  if (!text || text->empty()) return text;
  auto document = parse_object(path, *text);
  if (!document) return error_of(document);
  JsonFields fields(document->root());
  std::string name(hub_architecture(fields));
  if (auto status = fields.status(); !status) return in_file(path, std::move(status.error()));
  return name;
}

std::string folder_name(const fs::path& path) {
  const fs::path clean = path.has_filename() ? path : path.parent_path();
  return clean.filename().string();
}

}  // namespace

Result<CheckpointParts> read_hub_folder(const fs::path& path, Wanted wanted) {
  CheckpointParts parts;
  parts.path = path;
  parts.is_folder = true;
  parts.name = folder_name(path);
  if (auto read = read_vocabulary(path, parts.vocabulary); !read) return error_of(read);
  auto chat = read_template(path, parts.vocabulary.tokenizer_config_json);
  if (!chat) return error_of(chat);
  parts.chat_template = std::move(*chat);
  if (wanted == Wanted::vocabulary) {
    if (!parts.chat_template.empty()) return parts;
    auto architecture = read_architecture(path);  // its chat format may be known without a template
    if (!architecture) return error_of(architecture);
    parts.params.architecture = std::move(*architecture);
    if (parts.vocabulary.kind == VocabularyKind::none && parts.params.architecture.empty())
      return in_file(path / "tokenizer.json", {ErrorKind::bad_input, "is missing or empty"});
    return parts;
  }
  auto config = read_config(path, parts);
  if (!config) return error_of(config);
  parts.params = config->params;
  if (auto ends = read_ends(path, *config, parts.vocabulary); !ends) return error_of(ends);
  if (auto read = read_tensors(path, parts); !read) return error_of(read);
  if (auto checked = check_model(*config, parts); !checked) return in_file(path, std::move(checked.error()));
  return parts;
}

}  // namespace baleen

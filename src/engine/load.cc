#include "engine/load.h"

#include <memory>
#include <utility>

#include "decode/draw.h"
#include "formats/checkpoint.h"
#include "formats/gguf_split.h"
#include "prompt/model_template.h"

namespace baleen {
namespace {

/// Of the weights as they are loaded.
uint64_t fingerprint_of(const Checkpoint& checkpoint, const LoadOptions& options) {
  const uint64_t file = checkpoint.fingerprint();
  return options.weights ? mix_bits(file + static_cast<uint64_t>(*options.weights) + 1) : file;
}

/// Tokenizer and template; nothing where the model has no vocabulary.
Result<void> add_text(const Checkpoint& checkpoint, LoadedModel& loaded) {
  const Vocabulary& vocabulary = checkpoint.vocabulary();
  if (vocabulary.kind == VocabularyKind::none) return {};
  auto tokenizer = Tokenizer::make(vocabulary);
  if (!tokenizer) return std::unexpected(checkpoint.locate(tokenizer.error()));
  loaded.tokenizer = std::make_unique<Tokenizer>(std::move(*tokenizer));
  auto chat = model_template(checkpoint, loaded.tokenizer.get());
  if (!chat) return error_of(chat);
  if (*chat) loaded.chat = std::make_unique<ChatTemplate>(std::move(**chat));
  return {};
}

}  // namespace

std::string model_id(const std::filesystem::path& path) {
  const std::filesystem::path clean = path.has_filename() ? path : path.parent_path();
  std::string name = clean.filename().string();
  if (!name.ends_with(".gguf")) return name;
  name.resize(name.size() - std::string_view(".gguf").size());
  const auto part = parse_gguf_part_name(name);
  return part ? std::string(part->name) : name;
}

Result<LoadedModel> load(const std::filesystem::path& path, const Compute& compute,
                         const LoadOptions& options) {
  auto checkpoint = Checkpoint::open(path);
  if (!checkpoint) return error_of(checkpoint);
  LoadedModel loaded;
  loaded.id = model_id(path);
  loaded.fingerprint = fingerprint_of(*checkpoint, options);
  if (auto text = add_text(*checkpoint, loaded); !text) return error_of(text);
  auto model = load_model(*checkpoint, compute, options);
  if (!model) return error_of(model);
  loaded.model = std::move(*model);
  return loaded;
}

}  // namespace baleen

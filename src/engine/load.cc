#include "engine/load.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "base/available_memory.h"
#include "decode/draw.h"
#include "formats/checkpoint.h"
#include "models/weight_types.h"
#include "prompt/model_template.h"

namespace baleen {
namespace {

/// Takes off "-00001-of-00003" at the end.
void drop_part_number(std::string& name) {
  constexpr std::string_view kExample = "-00001-of-00003";
  if (name.size() <= kExample.size()) return;
  const size_t start = name.size() - kExample.size();
  for (size_t i = 0; i < kExample.size(); ++i) {
    const char c = name[start + i];
    const bool digit = kExample[i] >= '0' && kExample[i] <= '9';
    if (digit ? c < '0' || c > '9' : c != kExample[i]) return;
  }
  name.resize(start);
}

Result<void> check_memory(const Checkpoint& checkpoint, const LoadOptions& options) {
  const auto available = available_memory();
  const uint64_t bytes = loaded_bytes(checkpoint, options.weights);
  if (!available || bytes <= *available) return {};
  constexpr double kGiB = 1024.0 * 1024 * 1024;
  return failed(fmt::format("the model has {:.1f} GiB, this machine has {:.1f} GiB of memory left",
                            static_cast<double>(bytes) / kGiB, static_cast<double>(*available) / kGiB));
}

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
  drop_part_number(name);
  return name;
}

Result<LoadedModel> load(const std::filesystem::path& path, const Compute& compute,
                         const LoadOptions& options) {
  auto checkpoint = Checkpoint::open(path);
  if (!checkpoint) return error_of(checkpoint);
  if (auto fits = check_memory(*checkpoint, options); !fits) return error_of(fits);
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

#include "formats/gguf_vocabulary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "formats/error_text.h"
#include "formats/parameter_limits.h"
#include "formats/vocabulary_rules.h"

namespace baleen {
namespace {

constexpr std::string_view kTokens = "tokenizer.ggml.tokens", kTypes = "tokenizer.ggml.token_type",
                           kScores = "tokenizer.ggml.scores", kMerges = "tokenizer.ggml.merges";

/// Bytes of all tokens together, and of all merges: ten times what the largest published vocabularies have. They are
/// copied, and memory is bounded whatever the file's size.
constexpr uint64_t kMostTextBytes = 64 << 20;

/// GGUF's type 0, of which it says nothing: such tokens are text.
constexpr int32_t kUndefined = 0;

std::unexpected<Error> bad(const GgufEntry& entry, std::string_view what) {
  return bad_input(fmt::format("{}: {}", describe(entry), what));
}

std::unexpected<Error> missing(std::string_view key) {
  return bad_input(fmt::format("{} (metadata at byte 24): is missing", key));
}

/// The array under `key`: null where it is absent, an error where it is no array of `element`.
Result<const GgufEntry*> find_array(const GgufMetadata& metadata, std::string_view key, GgufType element) {
  const GgufEntry* entry = metadata.find(key);
  if (entry == nullptr) return nullptr;
  if (entry->type != GgufType::array || entry->element != element)
    return bad(*entry, "an array of another type is needed");
  return entry;
}

/// One that must be there and have an element per token.
Result<void> check_length(const GgufEntry& entry, size_t tokens) {
  if (entry.count == tokens) return {};
  return bad(entry, fmt::format("{} elements for {} tokens", entry.count, tokens));
}

/// An array of strings whose texts are not too long together.
Result<void> check_texts(const GgufEntry& entry) {
  const uint64_t bytes = entry.bytes.size() - entry.count * sizeof(uint64_t);  // without the lengths
  if (bytes <= kMostTextBytes) return {};
  return bad(entry, fmt::format("{} bytes of text, the limit is {}", bytes, kMostTextBytes));
}

Result<void> read_tokens(const GgufMetadata& metadata, Vocabulary& vocabulary) {
  auto entry = find_array(metadata, kTokens, GgufType::string);
  if (!entry) return error_of(entry);
  if (*entry == nullptr) return missing(kTokens);
  const auto count = (*entry)->count;
  if (count < 1 || count > static_cast<uint64_t>(kVocabularyRange.most))
    return bad(**entry, fmt::format("{} tokens, 1 to {} are possible", count, kVocabularyRange.most));
  if (auto texts = check_texts(**entry); !texts) return texts;
  GgufStrings strings(**entry);
  vocabulary.tokens.reserve(count);
  for (uint64_t i = 0; i < count; ++i) vocabulary.tokens.emplace_back(strings.next());
  return {};
}

Result<void> read_types(const GgufMetadata& metadata, Vocabulary& vocabulary) {
  const size_t tokens = vocabulary.tokens.size();
  vocabulary.types.assign(tokens, TokenType::normal);
  auto entry = find_array(metadata, kTypes, GgufType::i32);
  if (!entry) return error_of(entry);
  if (*entry == nullptr) return {};
  if (auto length = check_length(**entry, tokens); !length) return error_of(length);
  ByteReader reader((*entry)->bytes);
  for (size_t i = 0; i < tokens; ++i) {
    const auto type = reader.read<int32_t>();
    if (type == kUndefined) continue;
    if (type < static_cast<int32_t>(TokenType::normal) || type > static_cast<int32_t>(TokenType::byte))
      return bad(**entry, fmt::format("token {} has the unknown type {}", i, type));
    vocabulary.types[i] = static_cast<TokenType>(type);
  }
  return {};
}

Result<void> read_scores(const GgufMetadata& metadata, Vocabulary& vocabulary) {
  auto entry = find_array(metadata, kScores, GgufType::f32);
  if (!entry) return error_of(entry);
  if (*entry == nullptr) return missing(kScores);
  if (auto length = check_length(**entry, vocabulary.tokens.size()); !length) return error_of(length);
  ByteReader reader((*entry)->bytes);
  vocabulary.scores.resize(vocabulary.tokens.size());
  for (size_t i = 0; i < vocabulary.scores.size(); ++i) {
    vocabulary.scores[i] = reader.read<float>();
    if (!std::isfinite(vocabulary.scores[i]))
      return bad(**entry, fmt::format("the score of token {} is no number", i));
  }
  return {};
}

Result<void> read_merges(const GgufMetadata& metadata, Vocabulary& vocabulary) {
  auto entry = find_array(metadata, kMerges, GgufType::string);
  if (!entry) return error_of(entry);
  if (*entry == nullptr) return missing(kMerges);
  if (auto texts = check_texts(**entry); !texts) return texts;
  GgufStrings strings(**entry);
  vocabulary.merges.reserve((*entry)->count);
  for (uint64_t i = 0; i < (*entry)->count; ++i) {
    const std::string_view merge = strings.next();
    const size_t space = merge.find(' ');
    if (space == 0 || space == std::string_view::npos || space + 1 == merge.size() ||
        merge.rfind(' ') != space)
      return bad(**entry, fmt::format("merge {} is not two tokens with one space between", i));
    vocabulary.merges.emplace_back(merge);
  }
  return {};
}

void read_ids(GgufFields& fields, Vocabulary& vocabulary) {
  const Range<int32_t> ids{0, static_cast<int32_t>(vocabulary.tokens.size()) - 1};
  const auto id = [&](std::string_view key) { return fields.integer(key, ids, -1); };
  vocabulary.bos = id("tokenizer.ggml.bos_token_id");
  vocabulary.eos = id("tokenizer.ggml.eos_token_id");
  vocabulary.eot = id("tokenizer.ggml.eot_token_id");
  vocabulary.unk = id("tokenizer.ggml.unknown_token_id");
  vocabulary.sep = id("tokenizer.ggml.seperator_token_id");  // GGUF's spelling
  vocabulary.pad = id("tokenizer.ggml.padding_token_id");
  vocabulary.end_of_generation = {vocabulary.eos, vocabulary.eot, id("tokenizer.ggml.eom_token_id")};
  for (std::string_view unused : {"cls", "mask", "fim_pre", "fim_suf", "fim_mid", "fim_pad", "fim_rep",
                                  "fim_sep", "prefix", "suffix", "middle"})
    id(fmt::format("tokenizer.ggml.{}_token_id", unused));
}

void read_flags(GgufFields& fields, Vocabulary& vocabulary) {
  // Defaults: SentencePiece vocabularies put BOS and a space in front; Llama 3's pre-tokenizer means BOS too.
  const bool sentencepiece = vocabulary.kind == VocabularyKind::sentencepiece;
  const bool llama3 =
      vocabulary.pre == "llama-bpe" || vocabulary.pre == "llama3" || vocabulary.pre == "llama-v3";
  vocabulary.add_bos = fields.flag("tokenizer.ggml.add_bos_token", sentencepiece || llama3);
  vocabulary.add_eos = fields.flag("tokenizer.ggml.add_eos_token", false);
  vocabulary.add_space_prefix = fields.flag("tokenizer.ggml.add_space_prefix", sentencepiece);
}

Result<VocabularyKind> read_kind(GgufFields& fields) {
  constexpr std::string_view kModel = "tokenizer.ggml.model";
  const std::string_view model = fields.text(kModel);
  if (auto status = fields.status(); !status) return error_of(status);
  if (model == "gpt2") return VocabularyKind::byte_bpe;
  if (model == "llama") return VocabularyKind::sentencepiece;
  if (model == "no_vocab" || model == "none") return VocabularyKind::none;
  fields.fail(kModel, fmt::format("\"{}\" is unknown: gpt2, llama and no_vocab are read", shown(model)));
  auto status = fields.status();
  return error_of(status);
}

}  // namespace

Result<Vocabulary> read_gguf_vocabulary(const GgufMetadata& metadata, GgufFields& fields) {
  Vocabulary vocabulary;
  auto kind = read_kind(fields);
  if (!kind) return error_of(kind);
  vocabulary.kind = *kind;
  if (*kind == VocabularyKind::none) return vocabulary;
  vocabulary.pre = fields.text("tokenizer.ggml.pre", "default");
  if (auto tokens = read_tokens(metadata, vocabulary); !tokens) return error_of(tokens);
  if (auto types = read_types(metadata, vocabulary); !types) return error_of(types);
  auto ranks = *kind == VocabularyKind::byte_bpe ? read_merges(metadata, vocabulary)
                                                 : read_scores(metadata, vocabulary);
  if (!ranks) return error_of(ranks);
  read_ids(fields, vocabulary);
  read_flags(fields, vocabulary);
  if (auto status = fields.status(); !status) return error_of(status);
  if (auto rules = check_vocabulary(vocabulary); !rules)
    return bad(*metadata.find(kTokens), rules.error().message);
  add_known_ends(vocabulary);
  return vocabulary;
}

}  // namespace baleen

#include <cmath>
#include <limits>

#include "malformed/gguf_cases.h"

namespace baleen::test {
namespace {

const std::string kTokens = "tokenizer.ggml.tokens", kTypes = "tokenizer.ggml.token_type",
                  kScores = "tokenizer.ggml.scores", kMerges = "tokenizer.ggml.merges";

/// Elements of a string array as they stand in the tiny model.
std::vector<std::string> texts(TinyGguf& file, const std::string& key) {
  const std::string& value = file.entry(key).value;
  std::vector<std::string> all;
  for (size_t at = 12; at < value.size();) {
    uint64_t length = 0;
    std::memcpy(&length, value.data() + at, sizeof(length));
    all.push_back(value.substr(at + 8, length));
    at += 8 + length;
  }
  return all;
}

void change_token(TinyGguf& file, size_t index, const std::string& text) {
  auto tokens = texts(file, kTokens);
  tokens[index] = text;
  file.set_texts(kTokens, tokens);
}

void change_type(TinyGguf& file, size_t index, int32_t type) {
  file.entry(kTypes).value.replace(12 + 4 * index, 4, raw(type));
}

void add_models(GgufCases& cases) {
  const std::string key = "tokenizer.ggml.model";
  cases.add("no tokenizer model", key, [&](TinyGguf& f) { f.erase_entry(key); });
  for (const char* name : {"", "bert", "t5", "rwkv", "GPT2", "llama3"})
    cases.add(std::string("tokenizer model \"") + name + "\"", key,
              [&](TinyGguf& f) { f.set_text(key, name); });
  cases.add("SentencePiece without scores", kScores, [&](TinyGguf& f) { f.set_text(key, "llama"); });
}

void add_lists(GgufCases& cases) {
  cases.add("no tokens", kTokens, [](TinyGguf& f) { f.erase_entry(kTokens); });
  cases.add("empty vocabulary", kTokens, [](TinyGguf& f) { f.set_texts(kTokens, {}); });
  cases.add("tokens are numbers", kTokens,
            [](TinyGguf& f) { f.set_numbers<uint32_t>(kTokens, GgufType::u32, {1, 2}); });
  cases.add("tokens are one string", kTokens, [](TinyGguf& f) { f.set_text(kTokens, "abc"); });
  cases.add("a token of 4,097 bytes", kTokens,
            [](TinyGguf& f) { change_token(f, 256, std::string(4097, 'h')); });
  cases.add("a token of bad UTF-8", kTokens, [](TinyGguf& f) { change_token(f, 256, "\xFE"); });
  cases.add("an empty control token", kTokens, [](TinyGguf& f) { change_token(f, 257, ""); });
  cases.add("a million and one tokens", kTokens,
            [](TinyGguf& f) { f.set_texts(kTokens, std::vector<std::string>((1 << 20) + 1, "a")); });
  for (const size_t count : {0U, 1U, 259U, 261U})
    cases.add(std::to_string(count) + " types", kTypes, [&](TinyGguf& f) {
      f.set_numbers<int32_t>(kTypes, GgufType::i32, std::vector<int32_t>(count, 1));
    });
  cases.add("a token fewer", kTypes, [](TinyGguf& f) {
    auto tokens = texts(f, kTokens);
    tokens.pop_back();
    f.set_texts(kTokens, tokens);
  });
  for (const int32_t type : {-1, 7, 8, 256, std::numeric_limits<int32_t>::min()})
    cases.add("token type " + std::to_string(type), kTypes, [&](TinyGguf& f) { change_type(f, 3, type); });
  cases.add("types are floats", kTypes,
            [](TinyGguf& f) { f.set_numbers<float>(kTypes, GgufType::f32, std::vector<float>(260, 1)); });
  cases.add("types are one number", kTypes, [](TinyGguf& f) { f.set_u32(kTypes, 1); });
  cases.add("types and embeddings short of a token", "vocab_size", [](TinyGguf& f) {
    auto tokens = texts(f, kTokens);
    tokens.pop_back();
    f.set_texts(kTokens, tokens);
    f.set_numbers<int32_t>(kTypes, GgufType::i32, std::vector<int32_t>(259, 1));
  });
  cases.add("embeddings have a row more than tokens", "token_embd.weight", [](TinyGguf& f) {
    f.erase_entry("llama.vocab_size");
    ++f.tensor("token_embd.weight").dimensions[1];
  });
}

void add_merges(GgufCases& cases) {
  cases.add("no merges", kMerges, [](TinyGguf& f) { f.erase_entry(kMerges); });
  cases.add("merges are numbers", kMerges,
            [](TinyGguf& f) { f.set_numbers<uint32_t>(kMerges, GgufType::u32, {1}); });
  for (const char* merge : {"", " ", "he", "h ", " e", "h  e", "h e l", "h\te"})
    cases.add(std::string("merge \"") + merge + "\"", kMerges,
              [&](TinyGguf& f) { f.set_texts(kMerges, {"h e", merge}); });
  cases.add("more merges than an array holds", kMerges,
            [](TinyGguf& f) { f.set({kMerges, 9, raw<uint32_t>(8) + raw<uint64_t>((1 << 22) + 1)}); });
}

void add_bytes(GgufCases& cases) {
  for (const int byte : {0x20, 0x21, 0x41, 0x61, 0x7E, 0x0A, 0x09})
    cases.add("no token for byte " + std::to_string(byte), kTokens,
              [&](TinyGguf& f) { change_token(f, static_cast<size_t>(byte), "other"); });
}

void add_ids(GgufCases& cases) {
  for (const char* name : {"bos", "eos", "eot", "eom", "unknown", "seperator", "padding", "cls", "mask",
                           "fim_pre", "fim_suf", "fim_mid", "fim_pad", "fim_rep", "fim_sep"}) {
    const std::string key = std::string("tokenizer.ggml.") + name + "_token_id";
    for (const uint32_t id : {260U, 1U << 20, 1U << 31, 0xFFFFFFFFU})
      cases.add(key + " = " + std::to_string(id), key, [&](TinyGguf& f) { f.set_u32(key, id); });
    cases.add(key + " = -1", key, [&](TinyGguf& f) { f.set({key, 5, raw<int32_t>(-1)}); });
    cases.add(key + " as text", key, [&](TinyGguf& f) { f.set_text(key, "1"); });
  }
  for (const char* name : {"add_bos_token", "add_eos_token", "add_space_prefix"}) {
    const std::string key = std::string("tokenizer.ggml.") + name;
    cases.add(key + " as number", key, [&](TinyGguf& f) { f.set_u32(key, 1); });
    cases.add(key + " = 2", key, [&](TinyGguf& f) { f.set_bool(key, 2); });
  }
}

void add_sentencepiece(GgufCases& cases) {
  constexpr size_t kFirstByte = 3;  // <0x00>
  for (const char* text :
       {"<0x-1>", "<0xGG>", "<0x0>", "<0x000>", "<0X00>", "<0x0g>", "<0xfF", "0x00", "", "<0x 0>"})
    cases.add(std::string("byte token \"") + text + "\"", kTokens,
              [&](TinyGguf& f) { change_token(f, kFirstByte, text); });
  cases.add("a byte twice", kTokens, [](TinyGguf& f) { change_token(f, kFirstByte, "<0x01>"); });
  for (const size_t byte : {0U, 1U, 65U, 128U, 255U})
    cases.add("byte " + std::to_string(byte) + " is an ordinary token", kTokens,
              [&](TinyGguf& f) { change_type(f, kFirstByte + byte, 1); });
  for (const size_t count : {0U, 1U, 261U, 263U})
    cases.add(std::to_string(count) + " scores", kScores, [&](TinyGguf& f) {
      f.set_numbers<float>(kScores, GgufType::f32, std::vector<float>(count, 0));
    });
  for (const float score : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity()})
    cases.add("score " + std::to_string(score), kScores,
              [&](TinyGguf& f) { f.entry(kScores).value.replace(12 + 4 * 260, 4, raw(score)); });
  cases.add("scores are integers", kScores, [](TinyGguf& f) {
    f.set_numbers<int32_t>(kScores, GgufType::i32, std::vector<int32_t>(262, 0));
  });
}

}  // namespace

std::vector<MalformedCase> gguf_vocabulary_cases() {
  GgufCases cases;
  add_models(cases);
  add_lists(cases);
  add_merges(cases);
  add_bytes(cases);
  add_ids(cases);
  GgufCases sentencepiece(TinyGguf::llama_sentencepiece);
  add_sentencepiece(sentencepiece);
  auto all = cases.take();
  for (MalformedCase& each : sentencepiece.take()) all.push_back(std::move(each));
  return all;
}

std::vector<MalformedCase> gguf_text_cases() {
  GgufCases cases;
  for (const char* name : {"GPT-2", "Llama-bpe", "unheard-of", "\xE2\x80\xA8"})
    cases.add(std::string("pre-tokenizer \"") + name + "\"", "tokenizer.ggml.pre at byte",
              [&](TinyGguf& f) { f.set_text("tokenizer.ggml.pre", name); });
  cases.add("pre-tokenizer of 1 MiB", "tokenizer.ggml.pre at byte",
            [](TinyGguf& f) { f.set_text("tokenizer.ggml.pre", std::string(1 << 20, 'p')); });
  for (const char* merge : {"x yz", "yz x", "x y"})
    cases.add(std::string("merge \"") + merge + "\"", "tokenizer.ggml.merges at byte",
              [&](TinyGguf& f) { f.set_texts(kMerges, {"h e", merge}); });
  for (const char* text : {"{% for %}", "{{", "{% if x %}", "{% endif %}", "{% unheard of %}"})
    cases.add(std::string("template ") + text, "tokenizer.chat_template at byte",
              [&](TinyGguf& f) { f.set_text("tokenizer.chat_template", text); });
  return cases.take();
}

std::vector<MalformedCase> all_gguf_cases() {
  std::vector<MalformedCase> all;
  for (const auto& part : {gguf_structure_cases(), gguf_table_cases(), gguf_model_cases(),
                           deepseek_gguf_cases(), gguf_vocabulary_cases()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace baleen::test

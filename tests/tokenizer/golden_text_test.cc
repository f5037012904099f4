// Every vocabulary of the reference data: ids of users' and templates' text, streams, broken UTF-8.
#include <gtest/gtest.h>

#include <algorithm>

#include "golden.h"

namespace baleen::test {
namespace {

/// What a stream of ids sends: one string an id, and what is left at the end.
std::vector<std::string> stream(const Tokenizer& tokenizer, const std::vector<int32_t>& ids,
                                Detokenizer::Special special) {
  Detokenizer detokenizer(tokenizer, special, Detokenizer::Place::start);
  std::vector<std::string> texts;
  for (const int32_t id : ids) texts.push_back(detokenizer.push(id));
  texts.push_back(detokenizer.flush());
  return texts;
}

std::vector<std::string> strings_of(const json::Value& array) {
  std::vector<std::string> strings;
  for (const auto& [key, value] : array) strings.emplace_back(*value.string());
  return strings;
}

std::string bytes_of_hex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return bytes;
}

/// Texts of added tokens that are no control tokens.
std::vector<std::string> plain_added(const json::Value& root) {
  std::vector<std::string> texts;
  for (const auto& [key, added] : *root.find("added_tokens")) {
    auto member = ++added.begin();
    const std::string_view text = *(*member).second.string();
    if (!*(*++member).second.boolean()) texts.emplace_back(text);
  }
  return texts;
}

/// As a server cuts a prompt whose control tokens a caller wrote: only added tokens of the list count.
std::vector<Tokenizer::Span> cut_at(const std::vector<std::string>& added, std::string_view text) {
  std::vector<Tokenizer::Span> spans;
  for (size_t at = 0; at <= text.size();) {
    size_t first = text.size(), length = 0;
    for (const std::string& each : added)
      if (const size_t found = text.find(each, at); found < first || (found == first && each.size() > length))
        first = found, length = each.size();
    spans.push_back({text.substr(at, first - at), false});
    spans.push_back({text.substr(first, length), true});
    at = first + std::max<size_t>(length, 1);
  }
  return spans;
}

class GoldenText : public testing::TestWithParam<const char*> {
 protected:
  void check_streams(const Tokenizer& tokenizer, const json::Value& test_case) {
    const std::vector<int32_t> ids = ids_of(*test_case.find("ids"));
    if (const auto expected = test_case.find("stream")) {
      EXPECT_EQ(stream(tokenizer, ids, Detokenizer::Special::keep), strings_of(*expected));
    }
    if (const auto expected = test_case.find("stream_skip")) {
      EXPECT_EQ(stream(tokenizer, ids, Detokenizer::Special::skip), strings_of(*expected));
    }
  }

  void check_text(const Tokenizer& tokenizer, const json::Value& test_case) {
    const std::string_view text = *test_case.find("text")->string();
    const std::vector<int32_t> special = ids_of(*test_case.find("ids"));
    const auto raw = test_case.find("ids_raw");
    std::vector<int32_t> ids;
    tokenizer.encode_special(text, ids);
    EXPECT_EQ(ids, special) << text;
    ids.clear();
    tokenizer.encode_text(text, ids);
    EXPECT_EQ(ids, raw ? ids_of(*raw) : special) << text;
    if (test_case.find("stream_differs")) return;
    const auto decoded = test_case.find("decoded");
    EXPECT_EQ(tokenizer.decode(special), decoded ? *decoded->string() : text);
  }
};

TEST_P(GoldenText, MatchesTheReference) {
  const auto folder = golden_text_folder();
  if (!folder) GTEST_SKIP() << "no ../shared/golden/text beside this checkout";
  const json::Document document = read_json(*folder / (std::string(GetParam()) + ".tokens.json"));
  const json::Value root = document.root();
  const Tokenizer tokenizer = tokenizer_of(unpacked(std::string(*root.find("file")->find("file")->string())));
  const std::vector<std::string> added = plain_added(root);
  for (const auto& [key, test_case] : *root.find("cases")) {
    SCOPED_TRACE(*test_case.find("id")->string());
    if (const auto plain = test_case.find("ids_plain")) {
      EXPECT_EQ(tokenizer.encode(cut_at(added, *test_case.find("text")->string())), ids_of(*plain));
    }
    check_text(tokenizer, test_case);
    check_streams(tokenizer, test_case);
  }
  for (const auto& [key, test_case] : *root.find("bytes_cases")) {
    const std::string bytes = bytes_of_hex(*test_case.find("hex")->string());
    std::vector<int32_t> ids;
    tokenizer.encode_text(bytes, ids);
    EXPECT_EQ(ids, ids_of(*test_case.find("ids"))) << *test_case.find("hex")->string();
  }
  for (const auto& [key, test_case] : *root.find("decode_cases")) check_streams(tokenizer, test_case);
}

/// llama.cpp's own strings with the ids of each model's reference library, no special token parsed.
TEST(LlamaCppVectors, MatchTheReference) {
  const auto folder = golden_text_folder();
  if (!folder) GTEST_SKIP() << "no ../shared/golden/text beside this checkout";
  const json::Document document = read_json(*folder / "llamacpp-vectors.json");
  int vocabularies = 0;
  for (const auto& [key, vocabulary] : *document.root().find("vocabs")) {
    const std::string file = "files/" + std::string(*vocabulary.find("vocab")->string()) + ".xz";
    if (!std::filesystem::exists(*folder / file)) continue;  // only some of them are kept there
    ++vocabularies;
    SCOPED_TRACE(file);
    const Tokenizer tokenizer = tokenizer_of(unpacked(file));
    for (const auto& [name, test_case] : *vocabulary.find("cases")) {
      const std::string_view text = *(*test_case.begin()).second.string();
      std::vector<int32_t> ids;
      tokenizer.encode_text(text, ids);
      EXPECT_EQ(ids, ids_of((*++test_case.begin()).second)) << text;
    }
  }
  EXPECT_EQ(vocabularies, 4);
}

/// The vocabulary of DeepSeek LLM, V2 and V2-Lite, for which only llama.cpp's ids are to be had.
TEST(DeepseekLlm, MatchesLlamaCpp) {
  const auto folder = golden_text_folder();
  if (!folder) GTEST_SKIP() << "no ../shared/golden/text beside this checkout";
  const json::Document document = read_json(*folder / "deepseek-llm.llamacpp.json");
  const Tokenizer tokenizer =
      tokenizer_of(unpacked(std::string(*document.root().find("file")->find("file")->string())));
  for (const auto& [key, test_case] : *document.root().find("cases")) {
    const std::string_view text = *test_case.find("text")->string();
    std::vector<int32_t> ids;
    tokenizer.encode_special(text, ids);
    EXPECT_EQ(ids, ids_of(*test_case.find("ids"))) << *test_case.find("id")->string();
  }
}

INSTANTIATE_TEST_SUITE_P(ByteLevel, GoldenText, testing::Values("smollm2", "gpt2", "qwen2"));
INSTANTIATE_TEST_SUITE_P(SentencePiece, GoldenText, testing::Values("tinyllama", "mistral-v7"));
INSTANTIATE_TEST_SUITE_P(TokenizerJson, GoldenText,
                         testing::Values("deepseek-v3", "deepseek-v4", "llama3", "mistral-v1-hf", "qwen3"));

}  // namespace
}  // namespace baleen::test

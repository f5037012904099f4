// tokenizer.json: constructs beyond the published families', and files that must be refused.
#include <gtest/gtest.h>

#include "malformed/tokenizer_json_cases.h"
#include "tokenizer/tokenizer.h"

namespace baleen::test {
namespace {

Result<Tokenizer> make(std::string text, std::string config = "") {
  Vocabulary vocabulary;
  vocabulary.kind = VocabularyKind::tokenizer_json;
  vocabulary.tokenizer_json = std::move(text);
  vocabulary.tokenizer_config_json = std::move(config);
  return Tokenizer::make(vocabulary);
}

std::vector<int32_t> encode(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<int32_t> ids;
  tokenizer.encode_special(text, ids);
  return ids;
}

using Ids = std::vector<int32_t>;

TEST(TokenizerJson, ReadsTheSmallFile) {
  auto tokenizer = make(std::string(kTokenizerJson));
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_EQ(encode(*tokenizer, "ab a1<s>xyb"), (Ids{4, 3, 1, 5, 6, 0, 2}));
  EXPECT_EQ(tokenizer->prefix(), Ids{6});
  EXPECT_EQ(tokenizer->decode({3, 4, 3, 1}), "ab a");
}

TEST(TokenizerJson, AddedTokensTakeInSpaces) {
  auto tokenizer = make(
      changed_tokenizer_json(R"("lstrip": false, "rstrip": false)", R"("lstrip": true, "rstrip": true)"));
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_EQ(encode(*tokenizer, "a  <s> b"), (Ids{1, 6, 2}));
}

TEST(TokenizerJson, SingleWordsStandAlone) {
  auto tokenizer = make(changed_tokenizer_json(R"("single_word": false)", R"("single_word": true)"));
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_EQ(encode(*tokenizer, "a<s>"), (Ids{1, 0}));
  EXPECT_EQ(encode(*tokenizer, "a <s>"), (Ids{1, 3, 6}));
}

TEST(TokenizerJson, AddedTokensKeepTheIdsThatTheyHave) {
  const std::string rest = R"("special": false, "normalized": false}, {"id": 6, "content")";
  auto tokenizer =
      make(changed_tokenizer_json(R"({"id": 6, "content")", R"({"id": 9, "content": "ab", )" + rest));
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_EQ(encode(*tokenizer, "bab"), (Ids{2, 4}));
  EXPECT_EQ(tokenizer->size(), 7);
  // The first of two ids for one text, and the last rules.
  tokenizer = make(changed_tokenizer_json(
      R"({"id": 6, "content")",
      R"({"id": 8, "content": "<s>", "special": true, "lstrip": true}, {"id": 6, "content")"));
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_EQ(encode(*tokenizer, "a <s>"), (Ids{1, 3, 8}));
  tokenizer = make(changed_tokenizer_json(
      R"(false}],)", R"(false}, {"id": 8, "content": "<s>", "special": true, "lstrip": true}],)"));
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_EQ(encode(*tokenizer, "a <s>"), (Ids{1, 6}));
  EXPECT_EQ(tokenizer->added_texts(), std::vector<std::string>{"<s>"});
}

TEST(TokenizerJson, ItsConfigAddsTokensAndChangesTheirRules) {
  const std::string config = R"({"added_tokens_decoder": {
      "6": {"content": "<s>", "special": true, "rstrip": true},
      "7": {"content": "<t>", "special": false, "normalized": false},
      "1": {"content": "<another's>", "special": true}}, "eos_token": {"content": "<t>"}})";
  auto tokenizer = make(std::string(kTokenizerJson), config);
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_EQ(encode(*tokenizer, "<s>  a<t> a"), (Ids{6, 1, 7, 3, 1}));
  EXPECT_EQ(tokenizer->eos(), 7);
  EXPECT_EQ(tokenizer->size(), 8);
  EXPECT_FALSE(tokenizer->is_control(1));
  EXPECT_EQ(tokenizer->added_texts(), (std::vector<std::string>{"<s>", "<t>"}));
  for (const char* decoder :
       {"1", "[]", "\"x\"", R"({"6": 1})", R"({"x": {"content": "<t>"}})", R"({"-1": {"content": "<t>"}})",
        R"({"1048576": {"content": "<t>"}})", R"({"7": {"content": 1}})", R"({"7": {}})",
        R"({"7": {"content": "<t>", "special": 1}})", R"({"99999999999": {"content": "<t>"}})"}) {
    tokenizer =
        make(std::string(kTokenizerJson), R"({"added_tokens_decoder": )" + std::string(decoder) + "}");
    ASSERT_FALSE(tokenizer) << decoder;
    EXPECT_TRUE(tokenizer.error().message.starts_with("tokenizer_config.json: added_tokens_decoder"))
        << tokenizer.error().message;
  }
}

TEST(TokenizerJson, UnigramTakesTheBestPath) {
  std::string text = changed_tokenizer_json(R"("type": "BPE", "dropout": null, "unk_token": "?")",
                                            R"("type": "Unigram", "unk_id": 0)");
  const std::string vocab = R"({"?": 0, "a": 1, "b": 2, "_": 3, "ab": 4, "1": 5})";
  text.replace(text.find(vocab), vocab.size(),
               R"([["?", 0], ["a", -1], ["b", -2], ["_", -1], ["ab", -2.5], ["1", -1]])");
  auto tokenizer = make(text);
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_EQ(encode(*tokenizer, "abzzb"), (Ids{4, 0, 2}));
}

TEST(TokenizerJson, RefusesWhatIsMalformedAndNamesIt) {
  int cases = 0;
  for (const MalformedValue& malformed : malformed_values()) {
    for (const char* to : malformed.to) {
      ++cases;
      const auto tokenizer = make(changed_tokenizer_json(malformed.from, to));
      ASSERT_FALSE(tokenizer) << to;
      EXPECT_EQ(tokenizer.error().kind, ErrorKind::bad_input) << to;
      EXPECT_NE(tokenizer.error().message.find(malformed.named), std::string::npos)
          << to << ": " << tokenizer.error().message;
    }
  }
  EXPECT_GE(cases, 130);
}

TEST(TokenizerJson, RefusesWhatIsNoObject) {
  for (const char* text :
       {"", "[]", "1", "null", "\"x\"", "{", "{}", "{\"model\": {}}", "{\"model\": 1}", "\xFF"}) {
    const auto tokenizer = make(text);
    ASSERT_FALSE(tokenizer) << text;
    EXPECT_EQ(tokenizer.error().kind, ErrorKind::bad_input);
  }
  for (size_t length = 0; length < kTokenizerJson.size(); length += 97)
    EXPECT_FALSE(make(std::string(kTokenizerJson.substr(0, length)))) << length;
}

std::string refusal(std::string_view from, const std::string& to) {
  const auto made = make(changed_tokenizer_json(from, to));
  return made ? "" : made.error().message;
}

std::string repeated(const std::string& part, int times) {
  std::string text;
  while (times-- > 0) text += part;
  return text;
}

TEST(TokenizerJson, StepsThatBlowATextUpAreRefused) {
  const std::string nfc = R"({"type": "NFC"})", steps = R"("pretokenizers": [)",
                    decoder = R"({"type": "Fuse"})";
  const auto replace = [](int from, int to) {
    return R"({"type": "Replace", "pattern": {"String": ")" + std::string(static_cast<size_t>(from), 'a') +
           R"("}, "content": ")" + std::string(static_cast<size_t>(to), 'b') + R"("})";
  };
  // Together with Replace (1) and Metaspace (5) of the small file.
  EXPECT_EQ(refusal(nfc, replace(1, 25)), "");
  EXPECT_TRUE(refusal(nfc, replace(1, 26)).contains("pre_tokenizer.pretokenizers[1]: together"));
  EXPECT_TRUE(refusal(nfc, replace(10, 1280)).contains("normalizer.normalizers[0]: together"));
  EXPECT_TRUE(refusal(nfc, repeated(replace(1, 2) + ",", 40) + nfc).contains("together"));
  EXPECT_TRUE(refusal(nfc, R"({"type": "Prepend", "prepend": ")" + std::string(300, 'a') + "\"}")
                  .contains("together"));
  EXPECT_TRUE(refusal(nfc, R"({"type": "Replace", "pattern": {"Regex": "x*"}, "content": ")" +
                               std::string(127, 'a') + "\"}")
                  .contains("together"));
  EXPECT_TRUE(refusal(steps, steps + repeated(R"({"type": "ByteLevel", "use_regex": false},)", 20))
                  .contains("together"));
  EXPECT_TRUE(refusal(decoder, replace(1, 5) + "," + decoder).contains("decoder.decoders[1]: together"));
  EXPECT_EQ(refusal(decoder, replace(1, 4) + "," + decoder), "");
}

TEST(TokenizerJson, StepsAreCounted) {
  const std::string digits = R"({"type": "Digits"},)", steps = R"("pretokenizers": [)";
  // Two normalizers and two pre-tokenizers are there.
  EXPECT_EQ(refusal(steps, steps + repeated(digits, 60)), "");
  EXPECT_TRUE(refusal(steps, steps + repeated(digits, 61))
                  .contains("pre_tokenizer.pretokenizers[62]: one step too many"));
}

}  // namespace
}  // namespace baleen::test

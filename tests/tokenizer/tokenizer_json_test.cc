// tokenizer.json: constructs beyond the published families', and files that must be refused.
#include <gtest/gtest.h>

#include "tokenizer/tokenizer.h"

namespace baleen {
namespace {

/// A small valid file; tests replace parts of it.
constexpr std::string_view kFile = R"({
  "added_tokens": [{"id": 6, "content": "<s>", "special": true, "normalized": false, "lstrip": false, "rstrip": false,
                    "single_word": false}],
  "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Replace", "pattern": {"String": " "},
                                                     "content": "_"}]},
  "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
      {"type": "Split", "pattern": {"Regex": "[0-9]"}, "behavior": "Isolated", "invert": false},
      {"type": "Metaspace", "replacement": "_", "prepend_scheme": "never", "split": true}]},
  "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
      {"Sequence": {"id": "A", "type_id": 0}}], "special_tokens": {"<s>": {"id": "<s>", "ids": [6]}}},
  "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "_"}, "content": " "},
      {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
  "model": {"type": "BPE", "dropout": null, "unk_token": "?", "fuse_unk": true, "byte_fallback": false,
            "ignore_merges": false, "vocab": {"?": 0, "a": 1, "b": 2, "_": 3, "ab": 4, "1": 5}, "merges": ["a b"]}
})";

std::string replaced(std::string_view from, std::string_view to) {
  std::string text(kFile);
  const size_t at = text.find(from);
  EXPECT_NE(at, text.npos) << from;
  return text.replace(at, from.size(), to);
}

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
  auto tokenizer = make(std::string(kFile));
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_EQ(encode(*tokenizer, "ab a1<s>xyb"), (Ids{4, 3, 1, 5, 6, 0, 2}));
  EXPECT_EQ(tokenizer->prefix(), Ids{6});
  EXPECT_EQ(tokenizer->decode({3, 4, 3, 1}), "ab a");
}

TEST(TokenizerJson, AddedTokensTakeInSpaces) {
  auto tokenizer = make(replaced(R"("lstrip": false, "rstrip": false)", R"("lstrip": true, "rstrip": true)"));
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_EQ(encode(*tokenizer, "a  <s> b"), (Ids{1, 6, 2}));
}

TEST(TokenizerJson, SingleWordsStandAlone) {
  auto tokenizer = make(replaced(R"("single_word": false)", R"("single_word": true)"));
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_EQ(encode(*tokenizer, "a<s>"), (Ids{1, 0}));
  EXPECT_EQ(encode(*tokenizer, "a <s>"), (Ids{1, 3, 6}));
}

TEST(TokenizerJson, AddedTokensKeepTheIdsThatTheyHave) {
  const std::string rest = R"("special": false, "normalized": false}, {"id": 6, "content")";
  auto tokenizer = make(replaced(R"({"id": 6, "content")", R"({"id": 9, "content": "ab", )" + rest));
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_EQ(encode(*tokenizer, "bab"), (Ids{2, 4}));
  EXPECT_EQ(tokenizer->size(), 7);
  // The first of two ids for one text, and the last rules.
  tokenizer =
      make(replaced(R"({"id": 6, "content")",
                    R"({"id": 8, "content": "<s>", "special": true, "lstrip": true}, {"id": 6, "content")"));
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_EQ(encode(*tokenizer, "a <s>"), (Ids{1, 3, 8}));
  tokenizer = make(
      replaced(R"(false}],)", R"(false}, {"id": 8, "content": "<s>", "special": true, "lstrip": true}],)"));
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_EQ(encode(*tokenizer, "a <s>"), (Ids{1, 6}));
  EXPECT_EQ(tokenizer->added_texts(), std::vector<std::string>{"<s>"});
}

TEST(TokenizerJson, ItsConfigAddsTokensAndChangesTheirRules) {
  const std::string config = R"({"added_tokens_decoder": {
      "6": {"content": "<s>", "special": true, "rstrip": true},
      "7": {"content": "<t>", "special": false, "normalized": false},
      "1": {"content": "<another's>", "special": true}}, "eos_token": {"content": "<t>"}})";
  auto tokenizer = make(std::string(kFile), config);
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
    tokenizer = make(std::string(kFile), R"({"added_tokens_decoder": )" + std::string(decoder) + "}");
    ASSERT_FALSE(tokenizer) << decoder;
    EXPECT_TRUE(tokenizer.error().message.starts_with("tokenizer_config.json: added_tokens_decoder"))
        << tokenizer.error().message;
  }
}

TEST(TokenizerJson, UnigramTakesTheBestPath) {
  std::string text =
      replaced(R"("type": "BPE", "dropout": null, "unk_token": "?")", R"("type": "Unigram", "unk_id": 0)");
  const std::string vocab = R"({"?": 0, "a": 1, "b": 2, "_": 3, "ab": 4, "1": 5})";
  text.replace(text.find(vocab), vocab.size(),
               R"([["?", 0], ["a", -1], ["b", -2], ["_", -1], ["ab", -2.5], ["1", -1]])");
  auto tokenizer = make(text);
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_EQ(encode(*tokenizer, "abzzb"), (Ids{4, 0, 2}));
}

/// Every value of the file, and wrong ones in its place.
struct Malformed {
  const char* from;
  std::vector<const char*> to;
  const char* named;  // what the message names
};

const Malformed kMalformed[] = {
    {R"j("added_tokens": [)j",
     {R"j("added_tokens": 1, "x": [)j", R"j("added_tokens": {}, "x": [)j", R"j("added_tokens": [1, )j",
      R"j("added_tokens": ["<s>", )j", R"j("added_tokens": [null, )j", R"j("added_tokens": [[], )j"},
     "added_tokens"},
    {R"j("id": 6, "content")j",
     {R"j("id": -1, "content")j", R"j("id": 1048576, "content")j", R"j("id": "6", "content")j",
      R"j("id": 6.5, "content")j", R"j("id": null, "content")j", R"j("id": [6], "content")j",
      R"j("id": 1, "content")j", R"j("content")j"},
     "added_tokens[0].id"},
    {R"j("content": "<s>")j",
     {R"j("content": 1)j", R"j("content": null)j", R"j("content": ["<s>"])j", R"j("content": {})j",
      R"j("content": true)j"},
     "added_tokens[0].content"},
    {R"j("special": true)j",
     {R"j("special": 1)j", R"j("special": "true")j", R"j("special": [])j", R"j("special": {})j"},
     "special"},
    {R"j("normalized": false)j",
     {R"j("normalized": 1)j", R"j("normalized": "x")j", R"j("normalized": [])j"},
     "normalized"},
    {R"j("lstrip": false)j", {R"j("lstrip": 0)j", R"j("lstrip": "x")j", R"j("lstrip": {})j"}, "lstrip"},
    {R"j("rstrip": false)j", {R"j("rstrip": 0)j", R"j("rstrip": "x")j", R"j("rstrip": {})j"}, "rstrip"},
    {R"j("single_word": false)j",
     {R"j("single_word": 0)j", R"j("single_word": "x")j", R"j("single_word": {})j"},
     "single_word"},
    {R"j({"type": "NFC"})j",
     {R"j({"type": "NFX"})j", R"j({"type": 1})j", R"j({})j", "1", R"j("NFC")j", "[]",
      R"j({"type": "Precompiled"})j", R"j({"type": "BertNormalizer"})j"},
     "normalizer.normalizers[0]"},
    {R"j("normalizers": [)j",
     {R"j("normalizers": 1, "x": [)j", R"j("normalizers": {}, "x": [)j", R"j("x": [)j"},
     "normalizers"},
    {R"j({"String": " "})j",
     {R"j({"String": ""})j", R"j({"String": 1})j", R"j({})j", R"j({"Regex": "["})j", R"j({"Regex": "(?R)"})j",
      R"j({"Regex": "(?1)(a)"})j", R"j({"Regex": 1})j", R"j({"Regex": "(*FAIL)"})j", "1", "null"},
     "pattern"},
    {R"j({"Regex": "[0-9]"})j",
     {R"j({"Regex": "("})j", R"j({"Regex": "a**"})j", R"j({"Regex": "(?&x)"})j", R"j({"Regex": "\\g<0>"})j",
      R"j({"Regex": "[a&&b]"})j", R"j({"Regex": "\\p{Nope}"})j", R"j({"Regex": null})j",
      R"j({"Regex": "(?C1)a"})j", R"j({"String": ""})j", "[]"},
     "pre_tokenizer.pretokenizers[0].pattern"},
    {R"j("behavior": "Isolated")j",
     {R"j("behavior": "isolated")j", R"j("behavior": 1)j", R"j("behavior": null)j", R"j("x": 0)j"},
     "behavior"},
    {R"j("invert": false)j", {R"j("invert": 0)j", R"j("invert": "no")j"}, "invert"},
    {R"j("type": "Metaspace")j",
     {R"j("type": "Metaspaces")j", R"j("type": "UnicodeScripts")j", R"j("type": null)j", R"j("x": 0)j"},
     "pre_tokenizer.pretokenizers[1]"},
    {R"j("replacement": "_")j",
     {R"j("replacement": "")j", R"j("replacement": "__")j", R"j("replacement": 1)j"},
     "replacement"},
    {R"j("prepend_scheme": "never")j",
     {R"j("prepend_scheme": "Never")j", R"j("prepend_scheme": 1)j", R"j("prepend_scheme": [])j"},
     "prepend_scheme"},
    {R"j("split": true)j", {R"j("split": 1)j", R"j("split": "x")j"}, "split"},
    {R"j("type": "TemplateProcessing")j",
     {R"j("type": "Template")j", R"j("type": 1)j", R"j("x": 0)j"},
     "post_processor"},
    {R"j("single": [)j",
     {R"j("single": "$A", "x": [)j", R"j("single": {}, "x": [)j", R"j("single": [1, )j",
      R"j("single": [{"Sequence": {}}, {"Sequence": {}}, )j"},
     "single"},
    {R"j("ids": [6])j",
     {R"j("ids": 6)j", R"j("ids": [7])j", R"j("ids": [-1])j", R"j("ids": ["6"])j", R"j("ids": [6.5])j",
      R"j("x": 0)j"},
     "ids"},
    {R"j("type": "Fuse")j",
     {R"j("type": "CTC")j", R"j("type": "WordPiece")j", R"j("type": 1)j", R"j("x": 0)j"},
     "decoder.decoders[1]"},
    {R"j("start": 1)j",
     {R"j("start": -1)j", R"j("start": "1")j", R"j("start": 1e9)j", R"j("x": 0)j"},
     "start"},
    {R"j("stop": 0)j", {R"j("stop": 1)j", R"j("stop": null)j", R"j("stop": -1)j"}, "decoder"},
    {R"j("type": "BPE")j",
     {R"j("type": "WordPiece")j", R"j("type": "WordLevel")j", R"j("type": 1)j", R"j("type": [])j"},
     "model"},
    {R"j("dropout": null)j",
     {R"j("dropout": 0.1)j", R"j("dropout": "x")j", R"j("continuing_subword_prefix": "##")j",
      R"j("end_of_word_suffix": "</w>")j"},
     "model"},
    {R"j("unk_token": "?")j",
     {R"j("unk_token": "<unk>")j", R"j("unk_token": 1)j", R"j("unk_token": [])j"},
     "unk_token"},
    {R"j("fuse_unk": true)j", {R"j("fuse_unk": 1)j", R"j("fuse_unk": "x")j"}, "fuse_unk"},
    {R"j("byte_fallback": false)j",
     {R"j("byte_fallback": 1)j", R"j("byte_fallback": "x")j"},
     "byte_fallback"},
    {R"j("ignore_merges": false)j",
     {R"j("ignore_merges": 1)j", R"j("ignore_merges": "x")j"},
     "ignore_merges"},
    {R"j("ab": 4)j",
     {R"j("ab": 1)j", R"j("ab": -1)j", R"j("ab": "4")j", R"j("ab": 1048576)j", R"j("ab": 4.5)j",
      R"j("ab": null)j", R"j("ab": 1e300)j"},
     "model.vocab"},
    {R"j("vocab": {)j",
     {R"j("vocab": 1, "x": {)j", R"j("vocab": null, "x": {)j", R"j("x": {)j", R"j("vocab": [1], "x": {)j",
      R"j("vocab": [["a"]], "x": {)j", R"j("vocab": {}, "x": {)j"},
     "model.vocab"},
    {R"j("merges": ["a b"])j",
     {R"j("merges": ["ab"])j", R"j("merges": ["a b c"])j", R"j("merges": ["a x"])j", R"j("merges": ["b a"])j",
      R"j("merges": [["a"]])j", R"j("merges": [["a", "b", "c"]])j", R"j("merges": [["a", 1]])j",
      R"j("merges": [1])j", R"j("merges": "a b")j", R"j("merges": {})j", R"j("merges": null)j"},
     "model.merges"},
};

TEST(TokenizerJson, RefusesWhatIsMalformedAndNamesIt) {
  int cases = 0;
  for (const Malformed& malformed : kMalformed) {
    for (const char* to : malformed.to) {
      ++cases;
      const auto tokenizer = make(replaced(malformed.from, to));
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
  for (size_t length = 0; length < kFile.size(); length += 97)
    EXPECT_FALSE(make(std::string(kFile.substr(0, length)))) << length;
}

}  // namespace
}  // namespace baleen

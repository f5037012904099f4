// Tokenizers of folders as GGUF vocabularies: the same ids, and refusals by name.
#include "tokenizer/as_gguf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "golden.h"

namespace baleen::test {
namespace {

constexpr int32_t kRows = 160'000;  // more than any of the vocabularies has tokens

Vocabulary of_json(std::string text, std::string config = "") {
  Vocabulary vocabulary;
  vocabulary.kind = VocabularyKind::tokenizer_json;
  vocabulary.tokenizer_json = std::move(text);
  vocabulary.tokenizer_config_json = std::move(config);
  return vocabulary;
}

class AsGgufGolden : public testing::TestWithParam<const char*> {};

TEST_P(AsGgufGolden, GivesTheSameIds) {
  const auto folder = golden_text_folder();
  if (!folder) GTEST_SKIP() << "no ../shared/golden/text beside this checkout";
  const json::Document document = read_json(*folder / (std::string(GetParam()) + ".tokens.json"));
  const json::Value root = document.root();
  const auto path = unpacked(std::string(*root.find("file")->find("file")->string()));
  const auto converted = as_gguf(of_json(read_file(path)), kRows);
  ASSERT_TRUE(converted.has_value()) << converted.error().message;
  EXPECT_EQ(converted->tokens.size(), static_cast<size_t>(kRows));
  const auto tokenizer = Tokenizer::make(*converted);
  ASSERT_TRUE(tokenizer.has_value()) << tokenizer.error().message;
  const Tokenizer original = tokenizer_of(path);
  EXPECT_EQ(tokenizer->prefix(), original.prefix());
  EXPECT_EQ(tokenizer->suffix(), original.suffix());
  for (const auto& [key, test_case] : *root.find("cases")) {
    const std::string_view text = *test_case.find("text")->string();
    std::vector<int32_t> ids, raw, raw_of_original;
    tokenizer->encode_special(text, ids);
    EXPECT_EQ(ids, ids_of(*test_case.find("ids"))) << text;
    tokenizer->encode_text(text, raw);
    original.encode_text(text, raw_of_original);
    EXPECT_EQ(raw, raw_of_original) << text;
    EXPECT_EQ(tokenizer->decode(ids), original.decode(ids));
  }
}

INSTANTIATE_TEST_SUITE_P(Files, AsGgufGolden,
                         testing::Values("deepseek-v3", "deepseek-v4", "llama3", "mistral-v1-hf", "qwen3"));

/// A SentencePiece tokenizer of a few letters; the caller names what differs.
struct Parts {
  std::string added = R"([{"id": 0, "content": "<s>", "special": true, "normalized": false}])";
  std::string normalizer =
      R"({"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
          {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]})";
  std::string pre_tokenizer = "null";
  std::string merges = R"(["a b", "▁ ab", "▁a b", "▁ a"])";
  std::string decoder = "null", post_processor = "null";

  std::string text() const {
    return R"({"added_tokens": )" + added + R"(, "normalizer": )" + normalizer + R"(, "pre_tokenizer": )" +
           pre_tokenizer + R"(, "post_processor": )" + post_processor + R"(, "decoder": )" + decoder +
           R"(, "model": {"type": "BPE", "fuse_unk": true, "unk_token": "<unk>", "vocab": {"<s>": 0,
              "<unk>": 1, "▁": 2, "a": 3, "b": 4, "ab": 5, "▁ab": 6, "▁a": 7}, "merges": )" +
           merges + "}}";
  }
};

std::string refusal(const Parts& parts) {
  const auto made = as_gguf(of_json(parts.text()), 10);
  return made ? "" : made.error().message;
}

TEST(AsGguf, WritesMergesAsScores) {
  const auto made = as_gguf(of_json(Parts().text()), 10);
  ASSERT_TRUE(made.has_value()) << made.error().message;
  EXPECT_EQ(made->kind, VocabularyKind::sentencepiece);
  EXPECT_TRUE(made->add_space_prefix);
  EXPECT_THAT(made->scores, testing::ElementsAre(0, 0, 0, 0, 0, -1, -2, -3, 0, 0));
  EXPECT_EQ(made->types[0], TokenType::control);
  EXPECT_EQ(made->types[1], TokenType::unknown);
  EXPECT_EQ(made->types[9], TokenType::unused);
  EXPECT_EQ(made->tokens[9], "[PAD9]");
}

TEST(AsGguf, RefusesByNameWhatGgufCannotSay) {
  using testing::HasSubstr;
  const auto with = [](auto change) {
    Parts changed;
    change(changed);
    return refusal(changed);
  };
  EXPECT_EQ(with([](Parts&) {}), "");
  EXPECT_THAT(with([](Parts& p) { p.merges = R"(["a b", "▁ ab", "▁ a", "▁a b"])"; }),
              HasSubstr("model.merges[3]: an order of merges"));
  EXPECT_THAT(with([](Parts& p) { p.merges = R"(["a b", "▁ ab", "▁ a"])"; }),
              HasSubstr("model.merges: a choice of merges"));
  EXPECT_THAT(with([](Parts& p) { p.normalizer = R"({"type": "Lowercase"})"; }),
              HasSubstr("normalizer: this Lowercase"));
  EXPECT_THAT(with([](Parts& p) { p.normalizer = "null"; }), HasSubstr("pre_tokenizer: text whose spaces"));
  EXPECT_THAT(with([](Parts& p) {
                p.normalizer = "null";
                p.pre_tokenizer = R"({"type": "Metaspace", "prepend_scheme": "first", "split": false})";
              }),
              HasSubstr("pre_tokenizer.prepend_scheme"));
  EXPECT_THAT(with([](Parts& p) { p.added = R"([{"id": 0, "content": "<s>", "lstrip": true}])"; }),
              HasSubstr("lstrip"));
  EXPECT_THAT(with([](Parts& p) {
                p.post_processor = R"({"type": "TemplateProcessing", "single": [
                  {"SpecialToken": {"id": "<s>"}}, {"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}],
                  "special_tokens": {"<s>": {"id": "<s>", "ids": [0]}}})";
              }),
              HasSubstr("post_processor"));
  EXPECT_THAT(as_gguf(of_json(Parts().text()), 7).error().message, HasSubstr("rows"));
}

}  // namespace
}  // namespace baleen::test

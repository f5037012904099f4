#include "prompt/model_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/tiny_hub.h"

namespace baleen::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kRequest = R"({"messages": [{"role": "user", "content": "<|end|>"}]})";

TEST(TemplateTokens, AreTheVocabularysNamesAndWhatItsTokenizerRecognises) {
  Vocabulary vocabulary;
  vocabulary.kind = VocabularyKind::sentencepiece;
  vocabulary.tokens = {"a", "<s>", "<think>", "\n\n", "</s>"};
  vocabulary.types = {TokenType::normal, TokenType::control, TokenType::user_defined, TokenType::user_defined,
                      TokenType::control};
  vocabulary.scores.resize(vocabulary.tokens.size());
  vocabulary.bos = 1;
  vocabulary.eos = 4;
  vocabulary.pad = 99;
  const auto tokenizer = Tokenizer::make(vocabulary);
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  const TemplateTokens tokens = template_tokens(vocabulary, &*tokenizer).value();
  EXPECT_THAT(tokens.named, ElementsAre(std::pair("bos_token", "<s>"), std::pair("eos_token", "</s>")));
  EXPECT_THAT(tokens.control, ElementsAre("<s>", "<think>", "</s>"));
  EXPECT_THAT(template_tokens(vocabulary, nullptr)->control, ElementsAre());
}

TEST(TemplateTokens, AFoldersAreThoseOfItsConfig) {
  Vocabulary vocabulary;
  vocabulary.kind = VocabularyKind::tokenizer_json;
  vocabulary.tokenizer_json = R"({"model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []},
      "decoder": {"type": "Fuse"},
      "added_tokens": [{"id": 2, "content": "<|end|>", "special": true}]})";
  vocabulary.tokenizer_config_json =
      R"({"eos_token": {"content": "<|end|>"}, "pad_token": null, "add_bos_token": true, "mask_token": "a"})";
  vocabulary.bos = 1;
  const auto tokenizer = Tokenizer::make(vocabulary);
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  const TemplateTokens tokens = template_tokens(vocabulary, &*tokenizer).value();
  EXPECT_THAT(tokens.named, ElementsAre(std::pair("eos_token", "<|end|>"), std::pair("mask_token", "a"),
                                        std::pair("bos_token", "b")));
  EXPECT_THAT(tokens.control, ElementsAre("<|end|>"));
  vocabulary.tokenizer_config_json = "{";
  EXPECT_EQ(template_tokens(vocabulary, &*tokenizer).error().kind, ErrorKind::bad_input);
}

/// What the template of a folder with these files writes for kRequest, or its error.
std::string written(const Files& files) {
  const TemporaryFolder folder;
  const auto checkpoint = Checkpoint::open_vocabulary(write_folder(folder, files));
  if (!checkpoint) return checkpoint.error().message;
  const auto chat = model_template(*checkpoint, nullptr);
  if (!chat) return chat.error().message;
  if (!*chat) return "no template";
  const auto prompt = (*chat)->render(kRequest, "");
  return prompt ? prompt->text : prompt.error().message;
}

TEST(ModelTemplate, OfAFolderIsInOneOfTwoFiles) {
  const std::string config = R"({"chat_template": "config{{ eos_token }}", "eos_token": "E"})";
  EXPECT_EQ(written({{"tokenizer_config.json", config}}), "configE");
  EXPECT_EQ(written({{"tokenizer_config.json", config}, {"chat_template.jinja", "jinja{{ eos_token }}"}}),
            "jinjaE");
  EXPECT_EQ(written({{"chat_template.jinja", "{{ messages[0].content }}"}}), "<|end|>");
  EXPECT_EQ(written({{"tokenizer_config.json", config}, {"chat_template.jinja", ""}}), "configE");
  EXPECT_EQ(written({{"tokenizer.json", "{}"}, {"tokenizer_config.json", "{}"}}), "no template");
  EXPECT_THAT(written({{"tokenizer_config.json", "{}"}}), HasSubstr("tokenizer.json: is missing"));
}

TEST(ModelTemplate, OfDeepSeekV32IsOursUnlessTheFilesHaveOne) {
  const std::string config = R"({"model_type": "deepseek_v32"})";
  EXPECT_EQ(written({{"tokenizer.json", "{}"}, {"config.json", config}}),
            "<｜begin▁of▁sentence｜><｜User｜><|end|><｜Assistant｜></think>");
  EXPECT_EQ(written({{"chat_template.jinja", "own"}, {"config.json", config}}), "own");
  EXPECT_EQ(written({{"tokenizer.json", "{}"}, {"config.json", R"({"model_type": "deepseek_v3"})"}}),
            "no template");
  EXPECT_THAT(written({{"tokenizer.json", "{}"}, {"config.json", R"({"model_type": 1})"}}),
              HasSubstr("config.json: model_type"));
}

TEST(ModelTemplate, OfSeveralTheDefaultOneIsMeant) {
  const auto several = [](std::string_view list) {
    return written({{"tokenizer_config.json", R"({"chat_template": )" + std::string(list) + "}"}});
  };
  EXPECT_EQ(several(R"([{"name": "tool_use", "template": "1"}, {"name": "default", "template": "2"}])"), "2");
  EXPECT_EQ(several(R"([{"name": "tool_use", "template": "1"}, {"name": "rag", "template": "2"}])"), "1");
  for (const char* wrong : {"1", "[]", "{}", "[1]", R"({"name": "x", "template": "y"})",
                            R"([{"name": "default"}])", R"([{"name": "default", "template": 1}])", "true"})
    EXPECT_THAT(several(wrong), HasSubstr("tokenizer_config.json: chat_template: must be")) << wrong;
  EXPECT_THAT(several(R"("{% if %}")"), HasSubstr("chat_template: chat template, line 1"))
      << several("{% if %}");
}

}  // namespace
}  // namespace baleen::test

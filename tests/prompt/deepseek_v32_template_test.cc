#include "prompt/deepseek_v32_template.h"

#include <gtest/gtest.h>

#include "golden_file.h"
#include "prompt/chat_template.h"
#include "tokenizer/golden.h"

namespace baleen {
namespace {

ChatTemplate format() { return ChatTemplate::compile(kDeepSeekV32Template, {}).value(); }

/// The request that asks for a golden case.
std::string request_of(const json::Value& chat) {
  json::Writer writer;
  writer.begin_object().key("messages");
  writer.copy(*chat.find("messages"));
  writer.key("chat_template_kwargs").begin_object();
  writer.member("thinking_mode", *chat.find("thinking_mode")->string());
  for (const auto& [name, value] : *chat.find("options")) writer.key(name).copy(value);
  return writer.end_object().end_object().take();
}

TEST(DeepSeekV32, EncodesAsTheReleasedCode) {
  const auto folder = test::golden_text_folder();
  if (!folder) GTEST_SKIP() << "../shared/golden/text is not there";
  const json::Document file = test::read_json(*folder / "deepseek-v3.2.encoding.json");
  const ChatTemplate chat = format();
  int cases = 0;
  for (const auto& [key, one] : *file.root().find("encode")) {
    const auto rendered = chat.render(request_of(one), "");
    ++cases;
    if (one.find("error")) {
      EXPECT_FALSE(rendered) << text_member(one, "id");
    } else if (rendered) {
      EXPECT_EQ(rendered->text, text_member(one, "text")) << text_member(one, "id");
    } else {
      ADD_FAILURE() << text_member(one, "id") << ": " << rendered.error().message;
    }
  }
  std::cout << cases << " requests\n";
  EXPECT_GT(cases, 100);
}

std::string render(std::string_view request) { return format().render(request, "").value().text; }

TEST(DeepSeekV32, ThinksWhenAsked) {
  const auto with = [](std::string_view kwargs) {
    return render(R"({"messages":[{"role":"user","content":"Hi"}],"chat_template_kwargs":)" +
                  std::string(kwargs) + "}");
  };
  EXPECT_TRUE(with("{}").ends_with("Hi<｜Assistant｜></think>"));
  EXPECT_TRUE(with(R"({"thinking":true})").ends_with("Hi<｜Assistant｜><think>"));
  EXPECT_TRUE(with(R"({"enable_thinking":true})").ends_with("Hi<｜Assistant｜><think>"));
  EXPECT_TRUE(with(R"({"thinking":false,"enable_thinking":true})").ends_with("</think>"));
  EXPECT_FALSE(format().render(R"({"messages":[],"chat_template_kwargs":{"thinking_mode":"deep"}})", ""));
}

TEST(DeepSeekV32, ToolsOfTheRequestStandAtTheSystemMessage) {
  constexpr std::string_view kTool = R"({"type":"function","function":{"name":"f","parameters":{}}})";
  const std::string at_message = render(R"({"messages":[{"role":"system","content":"S","tools":[)" +
                                        std::string(kTool) + R"(]},{"role":"user","content":"u"}]})");
  const std::string at_request = render(R"({"tools":[)" + std::string(kTool) +
                                        R"(],"messages":[{"role":"system","content":"S"},)"
                                        R"({"role":"user","content":"u"}]})");
  EXPECT_EQ(at_message, at_request);
  EXPECT_NE(at_request.find(R"({"name": "f", "parameters": {}})"), std::string::npos);
  const std::string alone =
      render(R"({"tools":[)" + std::string(kTool) + R"(],"messages":[{"role":"user","content":"u"}]})");
  EXPECT_TRUE(alone.starts_with("<｜begin▁of▁sentence｜>\n\n## Tools\n"));
}

}  // namespace
}  // namespace baleen

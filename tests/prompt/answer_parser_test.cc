#include "prompt/answer_parser.h"

#include <gtest/gtest.h>

#include <chrono>

#include "base/json.h"
#include "golden_file.h"
#include "tokenizer/golden.h"

namespace baleen {
namespace {

using Kind = AnswerPart::Kind;

constexpr AnswerFormat kV3{true, ToolSyntax::deepseek_v3}, kV31{true, ToolSyntax::deepseek_v31},
    kDsml{true, ToolSyntax::dsml};

/// A whole answer, as text: R[…] reasoning, C[…] content, name(arguments) calls, ! a fault.
std::string shown(AnswerFormat format, std::string_view prompt, std::string_view answer, size_t step = 1) {
  AnswerParser parser(format, prompt);
  std::vector<AnswerPart> parts;
  const auto gather = [&] {
    for (AnswerPart& part : parser.take()) {
      const bool same = !parts.empty() && parts.back().kind == part.kind && parts.back().call == part.call;
      if (same && part.kind != Kind::call)
        parts.back().text += part.text;
      else
        parts.push_back(std::move(part));
    }
  };
  for (size_t i = 0; i < answer.size(); i += step) {
    parser.push(answer.substr(i, step));
    gather();
  }
  parser.finish();
  gather();
  std::string text;
  for (const AnswerPart& part : parts) switch (part.kind) {
      case Kind::reasoning:
        text += "R[" + part.text + "]";
        break;
      case Kind::content:
        text += "C[" + part.text + "]";
        break;
      case Kind::call:
        text += part.text + ":";
        break;
      case Kind::arguments:
        text += part.text + ";";
    }
  return text + (parser.fault() ? "!" : "");
}

TEST(AnswerParser, ReasoningStartsWhereThePromptSaysSo) {
  EXPECT_EQ(shown(kV31, "<think>", "hm\n</think>Hello"), "R[hm\n]C[Hello]");
  EXPECT_EQ(shown(kV31, "<think>\n", "hm"), "R[hm]");
  EXPECT_EQ(shown(kV31, "</think>", "Hello"), "C[Hello]");
  EXPECT_EQ(shown(kV31, "<｜Assistant｜>", "<think>\na</think>\n\nb"), "R[\na]C[b]");
  EXPECT_EQ(shown(kV31, "<｜Assistant｜>", "\n<thin air>"), "C[\n<thin air>]");
  EXPECT_EQ(shown({}, "<think>", "a</think>b<think>"), "C[a</think>b<think>]");
  EXPECT_EQ(shown(kV31, "</think>", "a <think> b"), "C[a <think> b]!");
}

constexpr std::string_view kV3Calls =
    "Let me "
    "see.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>weather\n```json\n{\"city\": "
    "\"Oslo\"}\n```"
    "<｜tool▁call▁end｜>\n<｜tool▁call▁begin｜>function<｜tool▁sep｜>now\n```json\n{}\n```<｜tool▁call▁end｜>"
    "<｜tool▁calls▁end｜>";
constexpr std::string_view kV31Calls =
    "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>weather<｜tool▁sep｜>{\"city\": \"Oslo\"}<｜tool▁call▁end｜>"
    "<｜tool▁call▁begin｜>now<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>";
constexpr std::string_view kDsmlCalls =
    "Wait.\n\n<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"weather\">\n<｜DSML｜parameter name=\"city\" "
    "string=\"true\">a \"b\"\nc</｜DSML｜parameter>\n<｜DSML｜parameter name=\"days\" string=\"false\">[1, 2]"
    "</｜DSML｜parameter>\n</｜DSML｜invoke>\n<｜DSML｜invoke "
    "name=\"now\">\n</｜DSML｜invoke>\n</｜DSML｜function_calls>";

TEST(AnswerParser, CallsOfEachSyntaxHoweverTheyAreCut) {
  for (const size_t step : {size_t{1}, size_t{2}, size_t{7}, size_t{64}, size_t{4096}}) {
    EXPECT_EQ(shown(kV3, "", kV3Calls, step), "C[Let me see.]weather:{\"city\": \"Oslo\"};now:{};");
    EXPECT_EQ(shown(kV31, "</think>", kV31Calls, step), "weather:{\"city\": \"Oslo\"};now:{};");
    EXPECT_EQ(shown(kDsml, "</think>", kDsmlCalls, step),
              "C[Wait.]weather:{\"city\": \"a \\\"b\\\"\\nc\", \"days\": [1, 2]};now:{};");
  }
}

TEST(AnswerParser, WhatBreaksTheSyntaxBecomesContent) {
  EXPECT_EQ(shown(kV31, "</think>", "<｜tool▁calls▁begin｜>oops"), "C[oops]!");
  EXPECT_EQ(shown(kV3, "</think>", "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>" + std::string(600, 'x')),
            "C[" + std::string(600, 'x') + "]!");
  EXPECT_EQ(shown(kV31, "</think>", std::string(kV31Calls) + " more"),
            "weather:{\"city\": \"Oslo\"};now:{};C[more]!");
  EXPECT_EQ(shown(kDsml, "</think>",
                  "<｜DSML｜function_calls><｜DSML｜invoke name=\"f\"><｜DSML｜parameter "
                  "name=\"a\" string=\"false\">{no</｜DSML｜parameter></｜DSML｜invoke>"
                  "</｜DSML｜function_calls>"),
            "f:{\"a\": \"{no\"};");
  EXPECT_EQ(shown(kV31, "</think>", "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>{\"a"),
            "f:{\"a;!");
}

TEST(AnswerParser, LineBreaksBelongToTheContentUnlessCallsFollow) {
  EXPECT_EQ(shown(kDsml, "</think>", "a\n\n\nb\n\n"), "C[a\n\n\nb\n\n]");
  EXPECT_EQ(shown(kDsml, "</think>", "a\n\n<｜DSML｜function"), "C[a\n\n<｜DSML｜function]");
}

TEST(AnswerParser, ParsesAsTheReleasedCodeOfV32) {
  const auto folder = test::golden_text_folder();
  if (!folder) GTEST_SKIP() << "../shared/golden/text is not there";
  const json::Document file = test::read_json(*folder / "deepseek-v3.2.encoding.json");
  int cases = 0;
  for (const auto& [key, one] : *file.root().find("parse")) {
    std::string answer = text_member(one, "completion");
    constexpr std::string_view kEnd = "<｜end▁of▁sentence｜>";
    if (answer.ends_with(kEnd)) answer.resize(answer.size() - kEnd.size());
    const bool thinks = text_member(one, "thinking_mode") == "thinking";
    const std::string found = shown(kDsml, thinks ? "<think>" : "</think>", answer, 3);
    std::string wanted;
    if (const auto message = one.find("message")) {
      if (const auto text = text_member(*message, "reasoning_content"); !text.empty())
        wanted += "R[" + text + "]";
      if (const auto text = text_member(*message, "content"); !text.empty()) wanted += "C[" + text + "]";
      for (const auto& [index, call] : *message->find("tool_calls"))
        wanted += text_member(*call.find("function"), "name") + ":" +
                  text_member(*call.find("function"), "arguments") + ";";
      EXPECT_EQ(found, wanted) << text_member(one, "id");
    } else {
      EXPECT_TRUE(found.ends_with('!')) << text_member(one, "id") << ": " << found;
    }
    ++cases;
  }
  EXPECT_GT(cases, 8);
}

TEST(AnswerParser, TemplatesTellTheFormat) {
  EXPECT_EQ(answer_format("{{ 'plain' }}").tools, ToolSyntax::none);
  EXPECT_FALSE(answer_format("{{ 'plain' }}").reasons);
  EXPECT_EQ(answer_format("</think> <｜tool▁calls▁begin｜> ```json").tools, ToolSyntax::deepseek_v3);
  EXPECT_EQ(answer_format("</think> <｜tool▁calls▁begin｜>").tools, ToolSyntax::deepseek_v31);
  EXPECT_EQ(answer_format("<｜DSML｜function_calls>").tools, ToolSyntax::dsml);
}

/// Seconds of a token at a time.
double seconds_for(std::string_view piece, size_t bytes) {
  AnswerParser parser(kDsml, "</think>");
  const auto began = std::chrono::steady_clock::now();
  for (size_t done = 0; done < bytes; done += piece.size()) {
    parser.push(piece);
    parser.take();
  }
  parser.finish();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

TEST(AnswerParser, LinearWhateverTheModelWrites) {
  for (const std::string_view piece : {"\n", "<", "<｜DSML｜", "<｜DSML｜function_calls><", "<think"}) {
    const double small = seconds_for(piece, 1 << 17), large = seconds_for(piece, 1 << 20);
    EXPECT_LT(large, 8 * 5 * small + 0.5) << piece;  // quadratic would be 64 times as much
  }
}

TEST(AnswerParser, LinearInOnePushToo) {
  const auto seconds = [](size_t calls) {
    std::string answer = "<｜DSML｜function_calls>";
    for (size_t i = 0; i < calls; ++i) answer += "<｜DSML｜invoke name=\"f\"></｜DSML｜invoke>";
    AnswerParser parser({.tools = ToolSyntax::dsml}, "");
    const auto began = std::chrono::steady_clock::now();
    parser.push(answer);
    EXPECT_EQ(parser.calls(), static_cast<int32_t>(calls));
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  };
  const double small = seconds(1 << 11);
  EXPECT_LT(seconds(1 << 15), 16 * 5 * small + 0.5);  // quadratic would be 256 times as much
}

}  // namespace
}  // namespace baleen

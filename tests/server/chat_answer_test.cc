#include "server/openai/chat_answer.h"

#include <gtest/gtest.h>

#include "server/fake_exchange.h"

namespace baleen::openai {
namespace {

constexpr AnswerFormat kFormat{.reasons = true, .tools = ToolSyntax::deepseek_v31};
constexpr std::string_view kAnswer =
    "Hm.</think>Let me see.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>weather<｜tool▁sep｜>{\"city\": "
    "\"Oslo\"}"
    "<｜tool▁call▁end｜><｜tool▁calls▁end｜>";

/// The answer as events of a few bytes and one token each.
void feed(Answer& answer, Exchange& exchange, std::string_view text, FinishReason reason) {
  answer.start(exchange);
  for (size_t i = 0; i < text.size(); i += 4) {
    GenerationEvent event;
    event.text = text.substr(i, 4);
    event.tokens.resize(1);
    answer.event(exchange, 0, event);
  }
  GenerationEvent last;
  last.kind = GenerationEvent::Kind::finished;
  last.reason = reason;
  answer.event(exchange, 0, last);
  answer.done(exchange, Usage{.prompt_tokens = 1, .completion_tokens = 40});
}

AnswerParser parser() { return {kFormat, "<｜Assistant｜><think>"}; }

TEST(ChatAnswer, WholeAnswerHasReasoningContentAndCalls) {
  FakeExchange exchange{HttpRequest{}};
  feed(*whole_chat_answer({}, parser()), exchange, kAnswer, FinishReason::stop);
  const auto document = json::Document::parse(exchange.response.body, json::kHttpLimits);
  ASSERT_TRUE(document);
  const json::Value choice = (*document->root().find("choices")->begin()).second;
  const json::Value message = *choice.find("message");
  EXPECT_EQ(message.find("reasoning_content")->string(), "Hm.");
  EXPECT_EQ(message.find("content")->string(), "Let me see.");
  EXPECT_EQ(choice.find("finish_reason")->string(), "tool_calls");
  ASSERT_EQ(message.find("tool_calls")->size(), 1U);
  const json::Value call = (*message.find("tool_calls")->begin()).second;
  EXPECT_TRUE(call.find("id")->string()->starts_with("call_"));
  EXPECT_EQ(call.find("type")->string(), "function");
  EXPECT_EQ(call.find("function")->find("name")->string(), "weather");
  EXPECT_EQ(call.find("function")->find("arguments")->string(), "{\"city\": \"Oslo\"}");
  const json::Value details = *document->root().find("usage")->find("completion_tokens_details");
  EXPECT_EQ(details.find("reasoning_tokens")->integer(), 3);  // "Hm.<" "/thi" "nk>L"
}

/// What the deltas of a stream say, joined: [reasoning][content]name(arguments)reason.
std::string joined(const std::vector<std::string>& events) {
  std::string reasoning, content, call, reason;
  for (const std::string& event : events) {
    const auto document = json::Document::parse(event.substr(6), json::kHttpLimits);
    if (!document) continue;  // [DONE]
    for (const auto& [key, choice] : *document->root().find("choices")) {
      const json::Value delta = *choice.find("delta");
      if (const auto text = delta.find("reasoning_content")) reasoning += *text->string();
      if (const auto text = delta.find("content")) content += *text->string();
      if (const auto ended = choice.find("finish_reason")->string()) reason += *ended;
      if (!delta.find("tool_calls")) continue;
      for (const auto& [index, one] : *delta.find("tool_calls")) {
        EXPECT_EQ(one.find("index")->integer(), 0);
        if (const auto name = one.find("function")->find("name")) call += std::string(*name->string()) + ": ";
        call += *one.find("function")->find("arguments")->string();
      }
    }
  }
  return "[" + reasoning + "][" + content + "]" + call + " " + reason;
}

TEST(ChatAnswer, StreamSaysTheSame) {
  FakeExchange exchange{HttpRequest{}};
  feed(*streamed_chat_answer({}, parser()), exchange, kAnswer, FinishReason::stop);
  EXPECT_EQ(joined(exchange.events), "[Hm.][Let me see.]weather: {\"city\": \"Oslo\"} tool_calls");
  EXPECT_EQ(exchange.events.back(), "data: [DONE]\n\n");
}

TEST(ChatAnswer, ACallThatIsCutShortIsNoCall) {
  FakeExchange exchange{HttpRequest{}};
  feed(*streamed_chat_answer({}, parser()), exchange, kAnswer.substr(0, kAnswer.size() - 50),
       FinishReason::length);
  EXPECT_TRUE(joined(exchange.events).ends_with(" length")) << joined(exchange.events);
}

}  // namespace
}  // namespace baleen::openai

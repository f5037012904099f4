#include "prompt/chat_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace baleen {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kChatMl =
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

TemplateTokens chatml_tokens() {
  return {{{"bos_token", "<s>"}}, {"<|im_start|>", "<|im_end|>", "<think>", "</think>"}};
}

ChatTemplate compiled(std::string_view source) {
  auto chat = ChatTemplate::compile(source, chatml_tokens());
  EXPECT_TRUE(chat) << chat.error().message;
  return std::move(*chat);
}

std::string user(std::string_view content) {
  return R"({"messages": [{"role": "user", "content": ")" + std::string(content) + "\"}]}";
}

RenderedPrompt rendered(std::string_view source, std::string_view request) {
  auto prompt = compiled(source).render(request, "2025-02-07T09:05:03");
  EXPECT_TRUE(prompt) << prompt.error().message;
  return prompt ? std::move(*prompt) : RenderedPrompt{};
}

Error refusal(std::string_view source, std::string_view request) {
  auto prompt = compiled(source).render(request, "2025-02-07T09:05:03");
  EXPECT_FALSE(prompt) << prompt->text;
  return prompt ? Error{ErrorKind::failed, "rendered"} : prompt.error();
}

/// The pieces as text, those in which control tokens do not count in brackets.
std::vector<std::string> pieces(const RenderedPrompt& prompt) {
  std::vector<std::string> found;
  for (const Tokenizer::Span& span : prompt.spans())
    found.push_back(span.special ? std::string(span.text) : "[" + std::string(span.text) + "]");
  return found;
}

TEST(ChatTemplate, OpensTheAssistantsTurnUnlessToldNotTo) {
  EXPECT_EQ(rendered(kChatMl, user("hi")).text, "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n");
  const auto closed = rendered(
      kChatMl, R"({"messages": [{"role": "user", "content": "hi"}], "add_generation_prompt": false})");
  EXPECT_EQ(closed.text, "<|im_start|>user\nhi<|im_end|>\n");
}

TEST(ChatTemplate, SeesTokensToolsAndArguments) {
  EXPECT_EQ(rendered("{{ bos_token }}{{ tools is none }}{{ documents is none }}{{ level }}",
                     R"({"messages": [], "chat_template_kwargs": {"level": 3}})")
                .text,
            "<s>TrueTrue3");
  EXPECT_EQ(rendered("{{ tools | tojson }}", R"({"messages": [], "tools": [{"b": 1.0, "a": "é"}]})").text,
            R"([{"b": 1.0, "a": "é"}])");
  EXPECT_EQ(
      rendered("{{ strftime_now('%d %b %Y %H:%M') }}|{{ strftime_now('') }}", R"({"messages": []})").text,
      "07 Feb 2025 09:05|");
}

// The source is rewritten before it is compiled (rust/src/source.rs); what it says must stay the same.
TEST(ChatTemplate, ExpressionsMeanWhatPythonMeans) {
  const std::pair<const char*, const char*> cases[] = {
      {"([1] + [2.0]) | tojson", "[1, 2.0]"},
      {"([1] * 3) | tojson ~ [1] * 2", "[1, 1, 1][1, 1]"},
      {"[1] + [2] + [3]", "[1, 2, 3]"},
      {"'a' ~ 1 + 2 ~ none", "a3None"},
      {"1 + 2 ~ 3 * 4 ~ -5", "312-5"},
      {"1 - 2 ~ 'x' ~ (1 ~ 2 + 3)", "-1x15"},
      {"'%s-%s' % ('a', 1 + 1) ~ '!'", "a-2!"},
      {"'%s' % 'x' | upper + 'y'", "Xy"},
      {"6 / 2 * 3 + 2 ** 3 * 2", "25.0"},
      {"1e-3 + 1", "1.001"},
      {"1e20 ~ 1e-7 ~ true ~ {'a': [1.0]}", "1e+201e-07True{'a': [1.0]}"},
      {"not 1 + 1", "False"},
      {"-1 + 2 - 3", "-2"},
      {"[1, 2][-1] + {'a': 1}['a'] + (3, 4)[0]", "6"},
      {"'x' * 3 + 'y' ~ 'a' 'b'", "xxxyab"},
      {"'a' if 1 + 1 == 2 and 2 ~ '' == '2' else 'b'", "a"},
      {"messages[0].content[0] + 'b' ~ (messages + messages) | length", "hb2"},
      {"range(3) ~ range(5) | list ~ range(5)[2]", "range(0, 3)[0, 1, 2, 3, 4]2"},
      {"'-'.join(['a'] + ['b'] * 2) + messages[0]['role'] | upper", "a-b-bUSER"},
      {"{'items': 2}.items is callable ~ {'items': 2}['items']", "True2"},
      {"'a' ~ 1 is eq 1 ~ 'b' + 'c' ~ (2 is not in [1 + 1])", "aTruebcFalse"},
      {"'x' if messages is defined and messages is not none else 'y'", "x"},
      {"[messages[0].get('none', 'd') + 'e', 'x' ~ 1][0]", "de"},
      {"dict(a=1 + 1, b='x' ~ 'y')", "{'a': 2, 'b': 'xy'}"},
  };
  for (const auto& [expression, text] : cases)
    EXPECT_EQ(rendered("{{ " + std::string(expression) + " }}", user("hi")).text, text) << expression;
  EXPECT_EQ(
      rendered(
          "{% set x = 'a' ~ 1 + 1 %}{% if x + 'b' ~ 'c' == 'a2bc' %}{{- x -}}{% elif 1 + 1 %}no{% endif %}"
          "{% for i in [1] + [2] if i + 0 %}{{ i ~ loop.index0 + 1 }}{% endfor %}",
          user("hi"))
          .text,
      "a21122");
  EXPECT_EQ(refusal("{{ range(3) | tojson }}", user("hi")).kind, ErrorKind::failed);
}

TEST(ChatTemplate, FillsReasoningFromItsOlderNames) {
  constexpr std::string_view source = "{{ messages[0].reasoning_content }}|{{ messages[0].thinking }}";
  EXPECT_EQ(rendered(source, R"({"messages": [{"role": "assistant", "reasoning": "why"}]})").text, "why|why");
}

TEST(ChatTemplate, ContinuesTheFinalMessage) {
  constexpr std::string_view request =
      R"({"messages": [{"role": "assistant", "content": "One, "}], "continue_final_message": true})";
  EXPECT_EQ(rendered(kChatMl, request).text, "<|im_start|>assistant\nOne, ");
  EXPECT_EQ(rendered("{% for m in messages %}{{ m.content | trim }}!{% endfor %}", request).text, "One,");
  EXPECT_THAT(refusal("{{ 'content' }}", request).message, HasSubstr("continue_final_message"));
}

TEST(ChatTemplate, ControlTokensOfCallersAreText) {
  const auto prompt = rendered(kChatMl, user("a<|im_end|>b"));
  EXPECT_EQ(prompt.text, "<|im_start|>user\na<|im_end|>b<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_THAT(pieces(prompt),
              ElementsAre("<|im_start|>user\na", "[<|im_end|>]", "b<|im_end|>\n<|im_start|>assistant\n"));
  EXPECT_THAT(pieces(rendered(kChatMl, user("plain"))), testing::SizeIs(1));
}

TEST(ChatTemplate, TwoStringsOfCallersCannotMakeAControlToken) {
  constexpr std::string_view source = "{{ messages[0].content }}{{ messages[1].content }}<|im_end|>";
  const auto prompt = rendered(source, R"({"messages": [{"content": "x<|im_"}, {"content": "end|>y"}]})");
  EXPECT_EQ(prompt.text, "x<|im_end|>y<|im_end|>");
  EXPECT_THAT(pieces(prompt), ElementsAre("x", "[<|im_end|>]", "y<|im_end|>"));
}

TEST(ChatTemplate, MarksInTheInputAreJustText) {
  const auto prompt =
      rendered(kChatMl, user("\xF3\xB0\x80\x80<|im_end|>\xF3\xB0\x80\x81"));  // U+F0000, U+F0001
  EXPECT_THAT(pieces(prompt), ElementsAre("<|im_start|>user\n\xF3\xB0\x80\x80", "[<|im_end|>]",
                                          "\xF3\xB0\x80\x81<|im_end|>\n<|im_start|>assistant\n"));
}

// Looks into what it is given, so that a mark would change what it writes.
constexpr std::string_view kThinks =
    "{% for m in messages %}{% if '</think>' in m.content %}<think>{{ "
    "m.content.split('</think>')[0].lstrip('<think>') }}"
    "</think>{{ m.content.split('</think>')[-1].lstrip('\n') }}{% else %}{{ m.content }}{% endif "
    "%}<|im_end|>{% endfor %}";

TEST(ChatTemplate, AnAssistantsOwnReasoningStaysReasoning) {
  const auto prompt = rendered(
      kThinks,
      R"({"messages": [{"role": "assistant", "content": "<think>so</think>\nyes"}, {"content": "<|im_end|>"}]})");
  EXPECT_EQ(prompt.text, "<think>so</think>yes<|im_end|><|im_end|><|im_end|>");
  EXPECT_THAT(pieces(prompt), ElementsAre("<think>so</think>yes<|im_end|>", "[<|im_end|>]", "<|im_end|>"));
}

TEST(ChatTemplate, WhatAUserWritesIsTextWhereItsOriginIsLost) {
  const auto prompt =
      rendered(kThinks, R"({"messages": [{"role": "user", "content": "<think>so</think>\nyes"}]})");
  EXPECT_EQ(prompt.text, "<think>so</think>yes<|im_end|>");
  EXPECT_THAT(pieces(prompt), ElementsAre("[<think>]", "so", "[</think>]", "yes<|im_end|>"));
}

TEST(ChatTemplate, StringsAreReadAsPythonReadsThem) {
  EXPECT_EQ(
      rendered(R"({{ '\a\v\/\x41\101\d\U0001F433\N{SPOUTING WHALE}\N{quotation mark}' }})", user("")).text,
      "\a\v\\/AA\\d🐳🐳\"");
  EXPECT_EQ(rendered("{{ 'one \\\nline' + \"\\N{APOSTROPHE}\\\\N{}\" }}", user("")).text, "one line'\\N{}");
  for (const char* source :
       {R"({{ '\N{NO SUCH NAME}' }})", R"({{ '\N' }})", R"({{ '\N{BULLET' }})", R"({{ '\U00110000' }})",
        R"({{ '\U0001F43' }})", R"({{ '\U+001F433' }})", R"({{ '\U0001F43Ⅲ' }})"})
    EXPECT_EQ(ChatTemplate::compile(source, {}).error().kind, ErrorKind::bad_input) << source;
}

TEST(ChatTemplate, ErrorsSayWhoseFaultItIs) {
  EXPECT_EQ(ChatTemplate::compile("{% if %}", {}).error().kind, ErrorKind::bad_input);
  EXPECT_EQ(ChatTemplate::compile("\xFF", {}).error().kind, ErrorKind::bad_input);
  const Error raised = refusal("{{ raise_exception('Only ' ~ 'users') }}", user("x"));
  EXPECT_EQ(raised.kind, ErrorKind::failed);
  EXPECT_EQ(raised.message, "Only users");
  EXPECT_EQ(refusal("{{ messages[0].content.nothing.more }}", user("x")).kind, ErrorKind::failed);
  for (const char* request :
       {"", "[]", "{", "{}", R"({"messages": 1})", R"({"messages": ["x"]})",
        R"({"messages": [], "tools": {}})", R"({"messages": [], "chat_template_kwargs": 1})",
        R"({"messages": [], "add_generation_prompt": "no"})"})
    EXPECT_EQ(refusal("x", request).kind, ErrorKind::usage) << request;
  EXPECT_EQ(compiled("x").render(user("x"), "yesterday").error().kind, ErrorKind::usage);
}

TEST(ChatTemplate, CannotChangeOrReachWhatItIsGiven) {
  for (const char* source : {"{{ messages.append(1) }}", "{{ messages.pop() }}",
                             "{{ messages[0].update({}) }}", "{% include 'x' %}", "{% import 'x' as y %}",
                             "{% extends 'x' %}", "{{ ''.__class__.__mro__ }}", "{{ lipsum() }}"}) {
    auto chat = ChatTemplate::compile(source, {});
    EXPECT_FALSE(chat && chat->render(user("x"), "")) << source;
  }
}

}  // namespace
}  // namespace baleen

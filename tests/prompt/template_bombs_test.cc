// Templates come with model files from strangers: each of these ends soon, in little memory, with an error.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <string>
#include <thread>

#include "prompt/chat_template.h"

namespace baleen {
namespace {

constexpr std::string_view kRequest = R"({"messages": [{"role": "user", "content": "hi"}]})";

std::string repeated(std::string_view part, size_t times) {
  std::string text;
  for (size_t i = 0; i < times; ++i) text += part;
  return text;
}

std::string between(std::string_view head, const std::string& middle, std::string_view tail) {
  return std::string(head) + middle + std::string(tail);
}

enum class Outcome { rendered, refused };

Outcome compile_and_render(const std::string& source) {
  auto chat = ChatTemplate::compile(source, {});
  if (!chat) return Outcome::refused;
  return chat->render(kRequest, "") ? Outcome::rendered : Outcome::refused;
}

long peak_kibibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

/// In a thread with the stack that the server's threads have; fails where it takes long or much memory.
Outcome bounded(const std::string& source) {
  const auto began = std::chrono::steady_clock::now();
  [[maybe_unused]] const long before = peak_kibibytes();
  Outcome outcome = Outcome::rendered;
  std::thread([&] { outcome = compile_and_render(source); }).join();
  const auto took = std::chrono::steady_clock::now() - began;
  EXPECT_LT(took, std::chrono::seconds(5)) << source.substr(0, 80);
#ifndef __SANITIZE_ADDRESS__
  EXPECT_LT(peak_kibibytes() - before, 400 * 1024) << source.substr(0, 80);
#endif
  return outcome;
}

TEST(TemplateBombs, LoopsEnd) {
  EXPECT_EQ(bounded("{% for i in range(100000) %}{% for j in range(100000) %}x{% endfor %}{% endfor %}"),
            Outcome::refused);
  EXPECT_EQ(bounded("{% for i in range(10000000000) %}x{% endfor %}"), Outcome::refused);
  EXPECT_EQ(bounded("{{ range(9223372036854775807) | list | length }}"), Outcome::refused);
  EXPECT_EQ(bounded("{{ range(-9223372036854775807, 9223372036854775807, 9223372036854775807) | list }}"),
            Outcome::refused);
  EXPECT_EQ(bounded("{% for i in range(1, 2, 0) %}{% endfor %}"), Outcome::refused);
}

TEST(TemplateBombs, TextsStaySmall) {
  EXPECT_EQ(
      bounded("{% set ns = namespace(s='xxxxxxxx') %}{% for i in range(64) %}{% set ns.s = ns.s ~ ns.s %}"
              "{% endfor %}{{ ns.s }}"),
      Outcome::refused);
  EXPECT_EQ(
      bounded(
          "{% set ns = namespace(l=[1]) %}{% for i in range(64) %}{% set ns.l = ns.l + ns.l %}{% endfor %}"
          "{{ ns.l | length }}"),
      Outcome::refused);
  EXPECT_EQ(bounded("{{ 'x' * 1000000000000 }}"), Outcome::refused);
  EXPECT_EQ(bounded("{{ [1] * 1000000000 }}"), Outcome::refused);
  EXPECT_EQ(bounded("{{ '%1000000000d' % 1 }}"), Outcome::refused);
  EXPECT_EQ(bounded("{{ '{:1000000000}'.format(1) }}"), Outcome::refused);
  EXPECT_EQ(bounded("{{ ('x' * 100000).replace('x', 'y' * 100000) }}"), Outcome::refused);
  EXPECT_EQ(bounded("{{ ('y' * 100000).join('x' * 100000) }}"), Outcome::refused);
  EXPECT_EQ(bounded("{{ ('\n' * 1000000) | indent(1000, true, true) }}"), Outcome::refused);
}

TEST(TemplateBombs, PaddingIsBounded) {
  EXPECT_EQ(bounded("{{ 'x'.ljust(1000000000000) | length }}{{ 'x' | center(1000000000000) | length }}"),
            Outcome::rendered);
}

TEST(TemplateBombs, RecursionEnds) {
  EXPECT_EQ(bounded("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"), Outcome::refused);
  EXPECT_EQ(
      bounded("{% macro a(n) %}{{ b(n) }}{% endmacro %}{% macro b(n) %}{{ a(n) }}{% endmacro %}{{ a(1) }}"),
      Outcome::refused);
  EXPECT_EQ(bounded("{% for m in messages recursive %}{{ loop(messages) }}{% endfor %}"), Outcome::refused);
}

TEST(TemplateBombs, ValuesDoNotNestWithoutEnd) {
  constexpr std::string_view kNest =
      "{% set ns = namespace(l=[]) %}{% for i in range(50000) %}{% set ns.l = [ns.l] %}{% endfor %}";
  bounded(std::string(kNest) + "done");
  EXPECT_EQ(bounded(std::string(kNest) + "{{ ns.l }}"), Outcome::refused);
  EXPECT_EQ(bounded(std::string(kNest) + "{{ ns.l | tojson }}"), Outcome::refused);
  bounded(std::string(kNest) + "{{ ns.l | string | length }}{{ ns.l ~ '' }}");
  bounded(std::string(kNest) + "{{ ns.l == [ns.l] }}");
  bounded(std::string(kNest) + "{{ [ns.l, ns.l] | sort | length }}");
}

TEST(TemplateBombs, DeepSourcesDoNotOverflowTheStack) {
  constexpr size_t kDeep = 200'000;
  EXPECT_EQ(bounded(between("{{ ", repeated("(", kDeep) + "1" + repeated(")", kDeep), " }}")),
            Outcome::refused);
  EXPECT_EQ(bounded(between("{{ ", repeated("[", kDeep) + repeated("]", kDeep), " }}")), Outcome::refused);
  EXPECT_EQ(bounded(repeated("{% if 1 %}", kDeep)), Outcome::refused);
  EXPECT_EQ(bounded(repeated("{% for i in [1] %}", kDeep)), Outcome::refused);
  bounded(between("{{ ", repeated("not ", kDeep) + "1", " }}"));
  bounded(between("{{ ", repeated("-", kDeep) + "1", " }}"));
  bounded(between("{{ 1", repeated(" + 1", kDeep), " }}"));
  bounded(between("{{ 1", repeated(" and 1", kDeep), " }}"));
  bounded(between("{{ 1", repeated(" ~ 1", kDeep), " }}"));
  bounded(between("{{ 1", repeated(" < 1", kDeep), " }}"));
  bounded(between("{{ 2", repeated(" ** 1", kDeep), " }}"));
  bounded(between("{{ messages", repeated(".a", kDeep), " }}"));
  bounded(between("{{ messages", repeated(".items", kDeep), " }}"));
  bounded(between("{{ messages", repeated("[0]", kDeep), " }}"));
  bounded(between("{{ messages", repeated("()", kDeep), " }}"));
  bounded(between("{{ 1", repeated("|string", kDeep), " }}"));
  bounded(between("{{ 1", repeated(" if 1 else 1", kDeep), " }}"));
  bounded(between("{{ 1", repeated(" is string", kDeep), " }}"));
  bounded(between("{{ ''", repeated(" % ''", kDeep), " }}"));
  bounded("{% if 1 %}" + repeated("{% elif 1 %}", kDeep) + "{% endif %}");
}

TEST(TemplateBombs, BrokenSourcesAreRead) {
  for (const char* open : {"{{ ", "{% ", "{# ", "{% raw %}", "{{ '", "{{ \"\\", "{%- if ", "{{ '%s' % ",
                           "{{ a.items", "{", "{%", "{{"})
    bounded(between(open, repeated("x ", 100'000), ""));
  bounded(repeated("{% raw %", 400'000));
  bounded(repeated("{#", 2'000'000));
  EXPECT_EQ(ChatTemplate::compile(repeated("x", (4u << 20) + 1), {}).error().kind, ErrorKind::bad_input);
}

TEST(TemplateBombs, ManyControlTokensAreFoundInLinearTime) {
  TemplateTokens tokens;
  for (int i = 0; i < 2000; ++i) tokens.control.push_back("<" + repeated("a", static_cast<size_t>(i)) + ">");
  auto chat = ChatTemplate::compile("{{ messages[0].content }}", tokens);
  ASSERT_TRUE(chat);
  const auto began = std::chrono::steady_clock::now();
  const auto prompt =
      chat->render(R"({"messages": [{"content": ")" + repeated("<aaaa", 100'000) + "\"}]}", "");
  EXPECT_TRUE(prompt);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
}

}  // namespace
}  // namespace baleen

// Renderings against Python's jinja2 and transformers (golden/text/README.md).
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iostream>

#include "golden_file.h"
#include "prompt/chat_template.h"

namespace baleen {
namespace {

namespace fs = std::filesystem;

const fs::path kSource = BALEEN_SOURCE_DIR;
const fs::path kChats = kSource / "../shared/golden/text";

/// Known to differ: \N{…} would need the table of Unicode's names.
constexpr std::string_view kSnippetMisses[] = {"jinja-132"};
/// Known to differ: Python's Markup escapes what is added to it, which only this template shows.
constexpr std::string_view kEscapingTemplate = "x-meetkai-functionary-medium-v3.1";

struct Tally {
  int cases = 0, misses = 0;
};

/// What the reference does with a case is what we do: the same text, or an error of the same kind.
void compare(const json::Value& expected, const Result<RenderedPrompt>& got, const std::string& name,
             Tally& tally) {
  ++tally.cases;
  const auto error = expected.find("error");
  const bool raised = error && text_member(*error, "kind") == "raised";
  bool same = false;
  if (!error)
    same = got && got->text == text_member(expected, "text");
  else if (raised)
    same = !got && got.error().kind == ErrorKind::failed &&
           got.error().message == text_member(*error, "message");
  else
    same = true;  // Python failed: being more lenient is no defect
  if (same) return;
  ++tally.misses;
  std::cout << "miss: " << name << "\n  want "
            << (error ? text_member(*error, "message") : text_member(expected, "text")) << "\n  got  "
            << (got ? got->text : got.error().message) << "\n";
}

TEST(GoldenSnippets, RenderAsJinja) {
  const auto file = read_json(kSource / "tests/golden/text/jinja-snippets.json");
  ASSERT_TRUE(file);
  const json::Value root = file->root();
  json::Writer request;
  request.begin_object().key("messages").begin_array().end_array().key("chat_template_kwargs");
  write(request, *root.find("context"));
  request.end_object();
  Tally tally;
  for (const auto& [key, snippet] : *root.find("cases")) {
    if (std::ranges::count(kSnippetMisses, text_member(snippet, "id")) > 0) continue;
    const std::string name = text_member(snippet, "id") + " " + text_member(snippet, "template");
    auto compiled = ChatTemplate::compile(text_member(snippet, "template"), {});
    if (!compiled) {
      EXPECT_TRUE(snippet.find("error")) << name << ": " << compiled.error().message;
      continue;
    }
    const auto got = compiled->render(request.text(), text_member(root, "now"));
    compare(snippet, got, name, tally);
    if (snippet.find("error")) {
      EXPECT_FALSE(got) << name << " rendered: " << got->text;
    }
  }
  EXPECT_GT(tally.cases, 100);
  EXPECT_EQ(tally.misses, 0);
}

std::string request_of(const json::Value& chat) {
  json::Writer request;
  request.begin_object();
  for (const auto& [key, value] : chat)
    if (key == "kwargs")
      write(request.key("chat_template_kwargs"), value);
    else if (key != "id" && key != "text" && key != "ids" && key != "ids_safe" && key != "error")
      write(request.key(key), value);
  return request.end_object().take();
}

Tally render_chats(const fs::path& path) {
  Tally tally;
  const auto file = read_json(path);
  EXPECT_TRUE(file) << path;
  if (!file) return tally;
  const json::Value root = file->root();
  TemplateTokens tokens;
  for (const auto& [name, text] : *root.find("special_tokens"))
    tokens.named.emplace_back(name, std::string(*text.string()));
  auto compiled = ChatTemplate::compile(text_member(root, "template"), tokens);
  EXPECT_TRUE(compiled) << path << ": " << compiled.error().message;
  if (!compiled) return tally;
  for (const auto& [key, chat] : *root.find("cases"))
    compare(chat, compiled->render(request_of(chat), text_member(root, "now")),
            text_member(root, "name") + " " + text_member(chat, "id"), tally);
  return tally;
}

TEST(GoldenChats, RenderAsTransformers) {
  if (!fs::exists(kChats)) GTEST_SKIP() << "the golden chats are not here: " << kChats;
  Tally all;
  for (const auto& entry : fs::directory_iterator(kChats)) {
    if (!entry.path().string().ends_with(".chat.json")) continue;
    const Tally one = render_chats(entry.path());
    const bool escapes = entry.path().filename().string().starts_with(kEscapingTemplate);
    EXPECT_TRUE(escapes || one.misses == 0) << entry.path();
    all.cases += one.cases;
    all.misses += one.misses;
  }
  std::cout << all.cases - all.misses << " of " << all.cases << " chats are rendered as by transformers\n";
  EXPECT_GT(all.cases, 0);
  EXPECT_LE(all.misses * 100, all.cases);
}

}  // namespace
}  // namespace baleen

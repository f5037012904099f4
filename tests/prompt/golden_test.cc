// Renderings against Python's jinja2 and transformers (golden/text/README.md).
#include "tokenizer/golden.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iostream>

#include "golden_file.h"
#include "prompt/model_template.h"

namespace baleen {
namespace {

namespace fs = std::filesystem;

const fs::path kSource = BALEEN_SOURCE_DIR;

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
  const json::Document file = test::read_json(kSource / "tests/golden/text/jinja-snippets.json");
  const json::Value root = file.root();
  json::Writer request;
  request.begin_object().key("messages").begin_array().end_array().key("chat_template_kwargs");
  request.copy(*root.find("context"));
  request.end_object();
  Tally tally;
  for (const auto& [key, snippet] : *root.find("cases")) {
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
      request.key("chat_template_kwargs").copy(value);
    else if (key != "id" && key != "text" && key != "ids" && key != "ids_safe" && key != "error")
      request.key(key).copy(value);
  return request.end_object().take();
}

Tally render_chats(const fs::path& path) {
  Tally tally;
  const json::Document file = test::read_json(path);
  const json::Value root = file.root();
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
  const auto chats = test::golden_text_folder();
  if (!chats) GTEST_SKIP() << "../shared/golden/text is not there";
  Tally all;
  for (const auto& entry : fs::directory_iterator(*chats)) {
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

/// The tokenizer of the chats in `root`; nothing where they have none.
std::optional<Tokenizer> tokenizer_of(const fs::path& folder, const json::Value& root) {
  const fs::path tokens = folder / (text_member(root, "tokenizer") + ".tokens.json");
  if (!fs::exists(tokens)) return std::nullopt;
  const json::Document about = test::read_json(tokens);
  return test::tokenizer_of(test::unpacked(text_member(*about.root().find("file"), "file")));
}

int compare_ids(const json::Value& root, const Tokenizer& tokenizer) {
  TemplateTokens tokens = template_tokens({}, &tokenizer).value();
  for (const auto& [name, text] : *root.find("special_tokens"))
    tokens.named.emplace_back(name, std::string(*text.string()));
  const auto compiled = ChatTemplate::compile(text_member(root, "template"), tokens);
  // SentencePiece's reference knows no ids_safe.
  bool sanitized = false;
  for (const auto& [key, chat] : *root.find("cases")) sanitized = sanitized || chat.find("ids_safe");
  int cases = 0;
  for (const auto& [key, chat] : *root.find("cases")) {
    const auto safe = chat.find("ids_safe"), ids = safe ? safe : chat.find("ids");
    if (!ids) continue;
    const auto prompt = compiled->render(request_of(chat), text_member(root, "now"));
    if (!prompt) continue;  // GoldenChats tells
    ++cases;
    std::vector<int32_t> got = tokenizer.encode(prompt->spans());
    if (!sanitized) got = tokenizer.encode({{prompt->text, true}});
    EXPECT_EQ(got, test::ids_of(*ids)) << text_member(root, "name") << " " << text_member(chat, "id");
  }
  return cases;
}

TEST(GoldenIds, CallersCannotWriteControlTokens) {
  const auto chats = test::golden_text_folder();
  if (!chats) GTEST_SKIP() << "../shared/golden/text is not there";
  int cases = 0;
  for (const auto& entry : fs::directory_iterator(*chats)) {
    if (!entry.path().string().ends_with(".chat.json")) continue;
    const json::Document file = test::read_json(entry.path());
    if (const auto tokenizer = tokenizer_of(*chats, file.root()))
      cases += compare_ids(file.root(), *tokenizer);
  }
  EXPECT_GT(cases, 100);
}

}  // namespace
}  // namespace baleen

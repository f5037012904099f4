// Folders whose tensors are right and whose tokenizer or template is not.
#include "malformed/hub_cases.h"
#include "malformed/tokenizer_json_cases.h"

namespace baleen::test {
namespace {

void add(HubCases& cases, const std::string& what, const std::string& named, Files texts) {
  TinyHub hub = llama_with_text();
  for (auto& [name, text] : texts) hub.others[name] = std::move(text);
  cases.add_files(what, named, hub.files());
}

std::string repeated(std::string_view text, size_t times) {
  std::string all;
  for (size_t i = 0; i < times; ++i) all += text;
  return all;
}

void add_tokenizers(HubCases& cases) {
  for (const MalformedValue& value : malformed_values())
    for (const char* to : value.to)
      add(cases, std::string("tokenizer.json: ") + to, value.named,
          {{"tokenizer.json", changed_tokenizer_json(value.from, to)}});
  for (const char* text :
       {"[]", "1", "null", "\"x\"", "{", "{}", "{\"model\": {}}", "{\"model\": 1}", "\xFF"})
    add(cases, std::string("tokenizer.json is ") + text, "tokenizer.json", {{"tokenizer.json", text}});
  for (size_t length = 1; length < kTokenizerJson.size(); length += 97)
    add(cases, "tokenizer.json cut at " + std::to_string(length), "tokenizer.json",
        {{"tokenizer.json", std::string(kTokenizerJson.substr(0, length))}});
  add(cases, "another key twice", "tokenizer.json",
      {{"tokenizer.json", changed_tokenizer_json(R"("decoder")", R"("model": {}, "decoder")")}});
}

/// Much of something.
void add_large(HubCases& cases) {
  const auto change = [&](const std::string& what, const char* named, const char* from,
                          const std::string& to) {
    add(cases, what, named, {{"tokenizer.json", changed_tokenizer_json(from, to)}});
  };
  change("brackets without end", "tokenizer.json", R"("normalizer")",
         R"("x": )" + std::string(1 << 20, '[') + R"(, "normalizer")");
  change("nested sequences", "tokenizer.json", R"({"type": "NFC"})",
         repeated(R"({"type": "Sequence", "normalizers": [)", 1000) + repeated("]}", 1000));
  change("many merges of nothing", "merges", R"("merges": ["a b"])",
         R"("merges": ["a b")" + repeated(R"(, "b a")", 500'000) + "]");
  change("many tokens, the last one wrong", "model.vocab", R"({"?": 0)", [] {
    std::string vocab = R"({"?": 0)";
    for (int id = 7; id < 400'000; ++id) vocab += ", \"t" + std::to_string(id) + "\": " + std::to_string(id);
    return vocab + R"(, "wrong": -1)";
  }());
  change("a long token", "model.vocab", R"("ab": 4)", R"("ab": 4, ")" + std::string(4097, 'a') + R"(": 9)");
  change("a long added token", "added_tokens", R"("content": "<s>")",
         R"("content": ")" + std::string(5000, 'x') + R"(")");
  change("a deep expression", "pattern", R"("[0-9]")",
         "\"" + std::string(100'000, '(') + std::string(100'000, ')') + "\"");
  change("a long expression", "pattern", R"("[0-9]")", "\"" + std::string(1 << 20, '(') + "\"");
  change("repeats of repeats", "pattern", R"("[0-9]")", R"("(((a{9999}){9999}){9999}){9999}")");
}

void add_configs(HubCases& cases) {
  const auto config = [&](const std::string& text, const std::string& named = "tokenizer_config.json") {
    add(cases, "tokenizer_config.json is " + text.substr(0, 60), named, {{"tokenizer_config.json", text}});
  };
  for (const char* text : {"{", "[]", "1", "null", "{\"a\":01}", "{} {}", "\xEF\xBB\xBF{}", "{\"\xFF\": 1}"})
    config(text);
  config("{\"a\":" + std::string(100'000, '['));
  for (const char* token :
       {"1", "[]", "true", R"("<nope>")", "{}", R"({"content": 1})", R"({"content": "<nope>"})"})
    for (const std::string key : {"bos_token", "eos_token"}) config("{\"" + key + "\": " + token + "}", key);
  for (const char* decoder :
       {"1", "[]", R"({"6": 1})", R"({"x": {"content": "<t>"}})", R"({"-1": {"content": "<t>"}})",
        R"({"7": {"content": 1}})", R"({"7": {}})", R"({"7": {"content": "t", "lstrip": 1}})",
        R"({"2147483648": {"content": "t"}})"})
    config(R"({"added_tokens_decoder": )" + std::string(decoder) + "}", "added_tokens_decoder");
  for (const char* value :
       {"1", "[]", "{}", "true", "[1]", R"([{"name": "default"}])", R"([{"template": "x"}])"})
    config(R"({"chat_template": )" + std::string(value) + "}", "chat_template");
}

void add_templates(HubCases& cases) {
  const std::vector<std::string> wrong = {"{% if %}",      "{{",
                                          "{{ x",          "{% for x in y %}",
                                          "{% endfor %}",  "{{ 'a }}",
                                          "{{ a b }}",     "{% nope %}",
                                          "{# open",       "{{ '\\N{NO SUCH NAME}' }}",
                                          "{{ 1 + }}",     "{% set x = %}",
                                          "{{ (1 }}",      "{% raw %}",
                                          "{% macro m( %}"};
  for (const std::string& text : wrong) {
    add(cases, "template " + text, "chat_template", {{"chat_template.jinja", text}});
    std::string escaped;
    for (const char c : text) escaped += c == '\\' ? "\\\\" : std::string(1, c);
    add(cases, "template in the config " + text, "chat_template",
        {{"tokenizer_config.json", R"({"chat_template": ")" + escaped + "\"}"}});
  }
  for (const std::string& text :
       {std::string("\xFF"), std::string((4 << 20) + 1, 'x'), "{{ " + std::string(1 << 20, '(') + " }}",
        "{{ " + repeated("1+", 1 << 20) + "1 }}", repeated("{% if x %}", 100'000), repeated("{{ '", 500'000),
        "{{ '" + repeated("\\N{", 1'000'000) + "' }}", "{{ x" + repeated("[0]", 500'000) + " }}",
        "{{ x" + repeated("|trim", 500'000) + " }}", "{{ " + repeated("not ", 500'000) + "x }}"})
    add(cases, "template " + text.substr(0, 20) + "…", "chat_template", {{"chat_template.jinja", text}});
}

}  // namespace

TinyHub llama_with_text() {
  TinyHub hub = TinyHub::llama();
  hub.others["tokenizer.json"] = kTokenizerJson;
  hub.others["tokenizer_config.json"] =
      R"({"bos_token": "<s>", "chat_template": "{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}"})";
  return hub;
}

std::vector<MalformedFolder> hub_text_cases() {
  HubCases cases;
  add_tokenizers(cases);
  add_large(cases);
  add_configs(cases);
  add_templates(cases);
  return cases.take();
}

}  // namespace baleen::test

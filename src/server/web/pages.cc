#include "server/web/pages.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>

// Puts a file's bytes into the program, from baleen_page_NAME to baleen_page_NAME_end.
#define EMBED(name, file)                                                                             \
  asm(".pushsection .rodata\n.balign 16\n.global baleen_page_" #name "\n.hidden baleen_page_" #name   \
      "\nbaleen_page_" #name ":\n.incbin \"" file "\"\n.global baleen_page_" #name                    \
      "_end\n.hidden baleen_page_" #name "_end\nbaleen_page_" #name "_end:\n.byte 0\n.popsection\n"); \
  extern "C" __attribute__((visibility("hidden"))) const char baleen_page_##name[], baleen_page_##name##_end[]

EMBED(index, BALEEN_WEB_SOURCE "/index.html");
EMBED(icon, BALEEN_WEB_SOURCE "/icon.svg");
EMBED(style, BALEEN_WEB_SOURCE "/chat.css");
EMBED(chat, BALEEN_WEB_SOURCE "/chat.js");
EMBED(copy, BALEEN_WEB_SOURCE "/copy.js");
EMBED(markdown, BALEEN_WEB_SOURCE "/markdown.js");
EMBED(settings, BALEEN_WEB_SOURCE "/settings.js");
EMBED(stream, BALEEN_WEB_SOURCE "/stream.js");
EMBED(turn, BALEEN_WEB_SOURCE "/turn.js");
EMBED(marked, BALEEN_WEB_MODULES "/marked/lib/marked.esm.js");
EMBED(dompurify, BALEEN_WEB_MODULES "/dompurify/dist/purify.es.mjs");

namespace baleen {
namespace {

constexpr std::string_view kHtml = "text/html; charset=utf-8", kStyle = "text/css; charset=utf-8",
                           kScript = "text/javascript; charset=utf-8", kImage = "image/svg+xml";

/// FNV-1a of the body (http://www.isthe.com/chongo/tech/comp/fnv/), in quotes.
std::string etag_of(std::string_view body) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : body) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "\"%016llx\"", static_cast<unsigned long long>(hash));
  return text.data();
}

struct Embedded {
  std::string_view path, content_type;
  const char *begin, *end;
};

const Embedded kEmbedded[] = {
    {"/", kHtml, baleen_page_index, baleen_page_index_end},
    {"/icon.svg", kImage, baleen_page_icon, baleen_page_icon_end},
    {"/chat.css", kStyle, baleen_page_style, baleen_page_style_end},
    {"/chat.js", kScript, baleen_page_chat, baleen_page_chat_end},
    {"/copy.js", kScript, baleen_page_copy, baleen_page_copy_end},
    {"/markdown.js", kScript, baleen_page_markdown, baleen_page_markdown_end},
    {"/settings.js", kScript, baleen_page_settings, baleen_page_settings_end},
    {"/stream.js", kScript, baleen_page_stream, baleen_page_stream_end},
    {"/turn.js", kScript, baleen_page_turn, baleen_page_turn_end},
    {"/marked.js", kScript, baleen_page_marked, baleen_page_marked_end},
    {"/dompurify.js", kScript, baleen_page_dompurify, baleen_page_dompurify_end},
};

struct Pages {
  std::array<std::string, std::size(kEmbedded)> etags;
  std::array<Page, std::size(kEmbedded)> pages;

  Pages() {
    for (size_t i = 0; i < pages.size(); ++i) {
      const Embedded& file = kEmbedded[i];
      const std::string_view body(file.begin, static_cast<size_t>(file.end - file.begin));
      etags[i] = etag_of(body);
      pages[i] = {file.path, file.content_type, body, etags[i]};
    }
  }
};

}  // namespace

const std::string_view kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri "
    "'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types dompurify";

const Page* find_page(std::string_view path) {
  static const Pages pages;
  for (const Page& page : pages.pages)
    if (page.path == path) return &page;
  return nullptr;
}

}  // namespace baleen

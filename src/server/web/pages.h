// The static pages, embedded at build time: the chat page and what it loads.
#pragma once

#include <string_view>

namespace baleen {

struct Page {
  std::string_view path;          ///< as in the request's URL: "/", "/chat.js"
  std::string_view content_type;  ///< value of Content-Type
  std::string_view body;
  std::string_view etag;  ///< value of ETag, quotes included; changes with the body
};

/// The value of Content-Security-Policy to send with every page: nothing inline, nothing from elsewhere.
extern const std::string_view kPagePolicy;

/// Null where there is no such page. The pages are the same for every visitor and need no key.
const Page* find_page(std::string_view path);

}  // namespace baleen

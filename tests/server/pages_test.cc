#include "server/web/pages.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>

namespace baleen {
namespace {

TEST(Pages, TheChatPageIsThere) {
  const Page* page = find_page("/");
  ASSERT_NE(page, nullptr);
  EXPECT_EQ(page->content_type, "text/html; charset=utf-8");
  EXPECT_TRUE(page->body.starts_with("<!doctype html>"));
  EXPECT_TRUE(page->body.ends_with("</html>\n"));
  EXPECT_EQ(page->etag.size(), 18U);
  EXPECT_EQ(find_page("/index.html"), nullptr);
  EXPECT_EQ(find_page(""), nullptr);
  EXPECT_EQ(find_page("/../chat.js"), nullptr);
}

/// The paths that a file mentions as src, href or import.
std::set<std::string> references(std::string_view body) {
  std::set<std::string> found;
  for (const std::string_view before : {"src=\"/", "href=\"/", "from \"/"})
    for (size_t at = body.find(before); at != body.npos; at = body.find(before, at + 1)) {
      const size_t begin = at + before.size() - 1;
      found.emplace(body.substr(begin, body.find('"', begin) - begin));
    }
  return found;
}

TEST(Pages, WhatTheyReferToIsThereToo) {
  std::set<std::string> seen{"/"}, open{"/"};
  while (!open.empty()) {
    const std::string path = *open.begin();
    open.erase(open.begin());
    const Page* page = find_page(path);
    ASSERT_NE(page, nullptr) << path;
    EXPECT_FALSE(page->body.empty()) << path;
    for (const std::string& next : references(page->body))
      if (seen.insert(next).second) open.insert(next);
  }
  EXPECT_GE(seen.size(), 10U);
  EXPECT_TRUE(seen.contains("/dompurify.js"));
}

TEST(Pages, EtagsDiffer) { EXPECT_NE(find_page("/chat.js")->etag, find_page("/chat.css")->etag); }

}  // namespace
}  // namespace baleen

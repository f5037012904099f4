#include "tokenizer/unicode.h"

#include <cstring>
#include <map>
#include <string>
#include <string_view>

#include "base/check.h"
#include "tokenizer/unicode_data.h"

namespace baleen::unicode_detail {
namespace {

constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdw";  // as in script/unicode_tables

std::string unfold_runs() {
  std::string out;
  out.reserve(0x110000);
  for (size_t i = 0; i < kCategoryRuns.size();) {
    const auto index = static_cast<char>(kLetters.find(kCategoryRuns[i++]));
    size_t length = 0;
    for (; i < kCategoryRuns.size() && kCategoryRuns[i] >= '0' && kCategoryRuns[i] <= '9'; ++i)
      length = length * 10 + static_cast<size_t>(kCategoryRuns[i] - '0');
    out.append(length == 0 ? 1 : length, index);
  }
  CHECK(out.size() == 0x110000);
  return out;
}

}  // namespace

CategoryTable::CategoryTable() {
  const std::string points = unfold_runs();
  std::map<std::string_view, uint16_t> seen;  // equal blocks are kept once
  for (size_t i = 0; i < block.size(); ++i) {
    const std::string_view part = std::string_view(points).substr(i << 8, 256);
    const auto [entry, fresh] = seen.emplace(part, static_cast<uint16_t>(seen.size()));
    block[i] = entry->second;
    if (fresh) std::memcpy(index.data() + (size_t{entry->second} << 8), part.data(), part.size());
  }
}

const CategoryTable kCategories;

}  // namespace baleen::unicode_detail

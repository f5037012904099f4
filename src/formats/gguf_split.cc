#include "formats/gguf_split.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>

#include "formats/gguf_fields.h"

namespace baleen {
namespace {

constexpr Range<int32_t> kFiles{1, 65'535};  // split.count is a uint16
constexpr std::string_view kNumber = "split.no", kCount = "split.count", kTensors = "split.tensors.count";

}  // namespace

std::optional<GgufPartName> parse_gguf_part_name(std::string_view stem) {
  constexpr std::string_view kPattern = "-00000-of-00000";
  if (stem.size() <= kPattern.size()) return std::nullopt;
  const std::string_view ending = stem.substr(stem.size() - kPattern.size());
  for (size_t i = 0; i < kPattern.size(); ++i) {
    const bool digit = ending[i] >= '0' && ending[i] <= '9';
    if (kPattern[i] == '0' ? !digit : ending[i] != kPattern[i]) return std::nullopt;
  }
  int32_t part = 0;
  std::from_chars(ending.data() + 1, ending.data() + 6, part);
  return GgufPartName{stem.substr(0, stem.size() - kPattern.size()), part};
}

Result<GgufSplit> read_gguf_split(const GgufFile& first) {
  GgufFields fields(first.metadata, "");
  GgufSplit split;
  split.count = fields.integer(kCount, kFiles, 1);
  if (const int32_t number = fields.integer(kNumber, {0, kFiles.most - 1}, 0); number != 0)
    fields.fail(kNumber, fmt::format("this is file {} of a set: name the first one", number + 1));
  if (split.count > 1) split.tensors = fields.integer(kTensors, {1, std::numeric_limits<int32_t>::max()});
  if (auto status = fields.status(); !status) return error_of(status);
  return split;
}

Result<std::filesystem::path> gguf_split_path(const std::filesystem::path& first, int32_t index,
                                              int32_t count) {
  const std::string name = first.filename().string();
  const std::string ending = fmt::format("-{:05}-of-{:05}.gguf", 1, count);
  if (!name.ends_with(ending))
    return bad_input(
        fmt::format("{}: the model has {} files, so the name must end in {}", kCount, count, ending));
  return first.parent_path() /
         fmt::format("{}-{:05}-of-{:05}.gguf", name.substr(0, name.size() - ending.size()), index + 1, count);
}

Result<void> check_gguf_split(const GgufFile& file, const GgufSplit& split, int32_t index) {
  GgufFields fields(file.metadata, "");
  const int32_t number = fields.integer(kNumber, {0, kFiles.most - 1});
  const int32_t count = fields.integer(kCount, kFiles);
  if (auto status = fields.status(); !status) return status;
  if (number != index) fields.fail(kNumber, fmt::format("is {}, the file's name says {}", number, index));
  if (count != split.count)
    fields.fail(kCount, fmt::format("is {}, the first file says {}", count, split.count));
  return fields.status();
}

}  // namespace baleen

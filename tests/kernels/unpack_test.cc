#include "kernels/block/unpack.h"

#include <cmath>
#include <fstream>
#include <sstream>

#include "base/json.h"
#include "kernels/block/block_bytes.h"

namespace baleen {
namespace {

/// tests/golden/quants: blocks of random bytes and their values by the PyPI package gguf.
class Quants {
 public:
  Quants()
      : bytes_(read("quants.safetensors")),
        types_(parse(read("quants.json"))),
        header_(parse(header_text())) {}

  json::Value types() const { return *types_.root().find("types"); }
  const std::byte* tensor(const std::string& name, size_t& bytes) const {
    const json::Value offsets = *header_.root().find(name)->find("data_offsets");
    auto at = offsets.begin();
    const auto begin = static_cast<size_t>(*at.value().integer());
    const auto end = static_cast<size_t>(*(++at).value().integer());
    bytes = end - begin;
    return reinterpret_cast<const std::byte*>(bytes_.data()) + 8 + header_bytes() + begin;
  }

 private:
  static std::string read(const std::string& file) {
    std::ifstream in(BALEEN_SOURCE_DIR "/tests/golden/" + file, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  static json::Document parse(const std::string& text) {
    auto document = json::Document::parse(text, json::kFileLimits);
    if (!document) throw std::runtime_error(document.error().message);
    return std::move(*document);
  }
  size_t header_bytes() const {
    return field<uint64_t>(reinterpret_cast<const std::byte*>(bytes_.data()), 0);
  }
  std::string header_text() const { return bytes_.substr(8, header_bytes()); }

  std::string bytes_;
  json::Document types_, header_;
};

TEST(Unpack, EveryTypeOfTheGoldenFile) {
  const Quants quants;
  int types = 0;
  for (const auto& [type_name, facts] : quants.types()) {
    const std::string name(type_name);
    const auto type = find_block_type(static_cast<uint32_t>(*facts.find("ggml_type")->integer()));
    ASSERT_TRUE(type.has_value()) << name;
    ASSERT_TRUE(can_unpack(type->type)) << name;
    size_t raw_bytes = 0, float_bytes = 0;
    const std::byte* raw = quants.tensor(name + ".raw", raw_bytes);
    const std::byte* floats = quants.tensor(name + ".f32", float_bytes);
    const auto count = static_cast<int64_t>(float_bytes / sizeof(float));
    const auto values = *facts.find("values_per_block")->integer();
    ASSERT_EQ(static_cast<int64_t>(raw_bytes), count / type->values * type->bytes) << name;
    std::vector<float> out(static_cast<size_t>(count));
    unpack(type->type, raw, count, out.data());
    for (int64_t first = 0; first < count; first += values) {
      float largest = 0;
      for (int64_t k = first; k < first + values; ++k)
        largest = std::max(largest, std::fabs(field<float>(floats, static_cast<int>(k * 4))));
      for (int64_t k = first; k < first + values; ++k)
        ASSERT_NEAR(out[static_cast<size_t>(k)], field<float>(floats, static_cast<int>(k * 4)),
                    1e-6f * largest)
            << name << " value " << k;
    }
    ++types;
  }
  EXPECT_EQ(types, 25);
}

}  // namespace
}  // namespace baleen

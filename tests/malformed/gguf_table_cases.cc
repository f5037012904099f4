#include "malformed/gguf_cases.h"

namespace baleen::test {
namespace {

constexpr uint64_t kMost64 = ~uint64_t{0};
constexpr const char* kTensor = "blk.1.attn_q.weight";

template <class Change>
void change_tensor(GgufCases& cases, std::string what, Change change) {
  cases.add(std::move(what), kTensor, [&](TinyGguf& f) { change(f.tensor(kTensor)); });
}

void add_names(GgufCases& cases) {
  const auto with_name = [&](const std::string& what, const std::string& named, const std::string& name) {
    cases.add("tensor name: " + what, named, [&](TinyGguf& f) { f.tensors[5].name = name; });
  };
  with_name("empty", "tensor 5", "");
  with_name("NUL inside", "tensor 5", std::string("blk.0\0.attn_v.weight", 20));
  with_name("NUL at the end", "tensor 5", std::string("output_norm.weight\0", 19));
  with_name("65 bytes", "tensor 5", std::string(65, 'n'));
  with_name("1 MiB", "tensor 5", std::string(1 << 20, 'n'));
  with_name("bad UTF-8", "tensor 5", "blk.0.attn_\xFF.weight");
  with_name("overlong", "tensor 5", "blk.0\xC0\xAE attn_v.weight");
  with_name("duplicate", "output_norm.weight", "output_norm.weight");
  with_name("duplicate of a layer's", "blk.1.ffn_up.weight", "blk.1.ffn_up.weight");
  for (const uint64_t length : {kMost64, uint64_t{1} << 63, uint64_t{1} << 32, uint64_t{66}}) {
    const std::string whole = TinyGguf::llama().to_bytes();
    std::string bytes = whole;
    bytes.replace(whole.find("token_embd.weight") - 8, 8, raw(length));
    cases.add_bytes("tensor name length " + std::to_string(length), "tensor 0", bytes);
  }
}

void add_shapes(GgufCases& cases) {
  change_tensor(cases, "no dimensions", [](TinyTensor& t) { t.dimensions.clear(); });
  change_tensor(cases, "5 dimensions", [](TinyTensor& t) { t.dimensions = {8, 8, 1, 1, 1}; });
  change_tensor(cases, "1,000 dimensions", [](TinyTensor& t) { t.dimensions.assign(1000, 1); });
  for (const uint32_t count : {0xFFFFFFFFU, 1U << 31, 1U << 16}) {
    std::string bytes = TinyGguf::llama().to_bytes();
    bytes.replace(bytes.find(kTensor) + std::string_view(kTensor).size(), 4, raw(count));
    cases.add_bytes(std::to_string(count) + " dimensions", kTensor, bytes);
  }
  for (const uint64_t size :
       {uint64_t{0}, kMost64, uint64_t{1} << 63, (uint64_t{1} << 63) - 1, (uint64_t{1} << 42) + 1,
        uint64_t{1} << 32, (uint64_t{1} << 32) + 8, uint64_t{1} << 61}) {
    change_tensor(cases, "columns " + std::to_string(size), [&](TinyTensor& t) { t.dimensions[0] = size; });
    change_tensor(cases, "rows " + std::to_string(size), [&](TinyTensor& t) { t.dimensions[1] = size; });
    change_tensor(cases, "depth " + std::to_string(size),
                  [&](TinyTensor& t) { t.dimensions.push_back(size); });
  }
  const struct {
    const char* what;
    std::vector<uint64_t> dimensions;
  } kProducts[] = {
      {"product wraps to 64", {8, 8, uint64_t{1} << 32, uint64_t{1} << 32}},
      {"product wraps to small", {(uint64_t{1} << 32) + 8, uint64_t{1} << 32}},
      {"product is negative", {uint64_t{1} << 32, uint64_t{1} << 31}},
      {"product of two negatives", {kMost64 - 7, kMost64 - 7}},
      {"bytes wrap to 256", {(uint64_t{1} << 62) + 64}},
      {"bytes wrap to 0", {uint64_t{1} << 62}},
      {"stride wraps to 0", {uint64_t{1} << 42, uint64_t{1} << 20}},
  };
  for (const auto& each : kProducts)
    change_tensor(cases, each.what, [&](TinyTensor& t) { t.dimensions = each.dimensions, t.offset = 0; });
}

void add_types(GgufCases& cases) {
  // 4, 5, 31 to 33 and 36 to 38 are retired; 1000 is a type of ours that GGUF does not have.
  for (const uint32_t type :
       {4U, 5U, 31U, 32U, 33U, 36U, 37U, 38U, 41U, 42U, 99U, 255U, 1000U, 1U << 31, 0xFFFFFFFFU})
    change_tensor(cases, "tensor type " + std::to_string(type), [&](TinyTensor& t) { t.type = type; });
  // Rows of 8 are no whole blocks of these.
  for (const uint32_t type : {2U,  3U,  6U,  7U,  8U,  10U, 11U, 12U, 13U, 14U, 16U, 17U,
                              18U, 19U, 20U, 21U, 22U, 23U, 29U, 34U, 35U, 39U, 40U})
    change_tensor(cases, "rows of 8 in type " + std::to_string(type), [&](TinyTensor& t) { t.type = type; });
}

void add_offsets(GgufCases& cases) {
  for (const uint64_t offset :
       {uint64_t{1}, uint64_t{4}, uint64_t{31}, uint64_t{33}, kMost64, (uint64_t{1} << 63) + 16})
    change_tensor(cases, "offset " + std::to_string(offset) + " is not aligned",
                  [&](TinyTensor& t) { t.offset = offset; });
  for (const uint64_t offset : {uint64_t{1} << 20, uint64_t{1} << 32, uint64_t{1} << 62, uint64_t{1} << 63,
                                kMost64 - 31, kMost64 - 255})
    change_tensor(cases, "offset " + std::to_string(offset) + " is past the end",
                  [&](TinyTensor& t) { t.offset = offset; });
  cases.add("two tensors at one place", "blk.0.attn_q.weight",
            [](TinyGguf& f) { f.tensor(kTensor).offset = f.tensor("blk.0.attn_q.weight").offset = 0; });
  cases.add("a tensor inside another", "overlaps tensor token_embd.weight",
            [](TinyGguf& f) { f.tensor(kTensor).offset = 1024; });
  cases.add("a tensor over the end of another", "overlaps tensor token_embd.weight",
            [](TinyGguf& f) { f.tensor(kTensor).offset = 260 * 8 * 4 - 32; });
  cases.add("all tensors at 0", "overlaps", [](TinyGguf& f) {
    for (TinyTensor& tensor : f.tensors) tensor.offset = 0;
    f.tensors.front().offset.reset();  // writes its bytes
  });
  for (const size_t missing : {1U, 4U, 32U, 256U, 511U}) {
    std::string bytes = TinyGguf::llama().to_bytes();
    bytes.resize(bytes.size() - missing);
    cases.add_bytes("data short of " + std::to_string(missing) + " bytes", "blk.1.ffn_down.weight", bytes);
  }
  cases.add("no data at all", "tensor", [](TinyGguf& f) {
    for (TinyTensor& tensor : f.tensors) tensor.offset = 0;
    f.alignment = 8;  // the padding in front of the data is missing too
  });
}

void add_many(GgufCases& cases) {
  cases.add("65,536 tensors of a byte each beside the model's", "tensor", [](TinyGguf& f) {
    for (int i = 0; i < 65'536; ++i) f.tensors.push_back({"extra." + std::to_string(i), {1}});
  });
  cases.add("60,000 left-over tensors", "extra.0", [](TinyGguf& f) {
    for (int i = 0; i < 60'000; ++i) f.tensors.push_back({"extra." + std::to_string(i), {1}});
  });
  cases.add("60,000 tensors of one name", "duplicate", [](TinyGguf& f) {
    for (int i = 0; i < 60'000; ++i) f.tensors.push_back({"extra", {1}});
  });
}

}  // namespace

std::vector<MalformedCase> gguf_table_cases() {
  GgufCases cases;
  add_names(cases);
  add_shapes(cases);
  add_types(cases);
  add_offsets(cases);
  add_many(cases);
  return cases.take();
}

}  // namespace baleen::test

#include "malformed/gguf_cases.h"

namespace baleen::test {
namespace {

constexpr uint64_t kMost64 = ~uint64_t{0};

void add_header(GgufCases& cases) {
  cases.add_bytes("empty file", "magic", "");
  cases.add_bytes("three bytes", "magic", "GGU");
  for (const char* magic : {"GGJT", "ggml", "FUGG", "gguf"})
    cases.add(std::string("magic ") + magic, "magic", [&](TinyGguf& f) { f.magic = magic; });
  for (const uint32_t version : {0U, 1U, 4U, 5U, 255U, 0x02000000U, 0x03000000U, 0xFFFFFFFFU})
    cases.add("version " + std::to_string(version), "version", [&](TinyGguf& f) { f.version = version; });
  for (const uint64_t count : {kMost64, uint64_t{1} << 63, uint64_t{1} << 62, uint64_t{1} << 40,
                               uint64_t{1} << 32, uint64_t{65'537}, uint64_t{60'000}, uint64_t{3'000}}) {
    cases.add("tensor count " + std::to_string(count), "tensor",
              [&](TinyGguf& f) { f.tensor_count = count; });
    cases.add("entry count " + std::to_string(count), "metadata",
              [&](TinyGguf& f) { f.entry_count = count; });
  }
  cases.add("one tensor more than there is", "tensor",
            [](TinyGguf& f) { f.tensor_count = f.tensors.size() + 1; });
  cases.add("one tensor fewer than there is", "tensor",
            [](TinyGguf& f) { f.tensor_count = f.tensors.size() - 1; });
  cases.add("one entry more than there is", "name of tensor 0",
            [](TinyGguf& f) { f.entry_count = f.entries.size() + 1; });
  cases.add("one entry fewer than there is", "tensor",
            [](TinyGguf& f) { f.entry_count = f.entries.size() - 1; });
  cases.add("no entries", "tensor", [](TinyGguf& f) { f.entry_count = 0; });
  cases.add("no tensors", "tensor", [](TinyGguf& f) { f.tensor_count = 0; });
}

void add_keys(GgufCases& cases) {
  const auto with_key = [&](std::string what, std::string named, std::string key) {
    cases.add("key: " + what, named,
              [&](TinyGguf& f) { f.entries.insert(f.entries.begin() + 3, {key, 4, raw<uint32_t>(1)}); });
  };
  with_key("empty", "key 3", "");
  with_key("NUL inside", "key 3", std::string("a\0b", 3));
  with_key("NUL at the end", "key 3", std::string("general.architecture\0", 21));
  with_key("lone continuation byte", "key 3", "a\x80");
  with_key("overlong slash", "key 3", "\xC0\xAF");
  with_key("surrogate", "key 3", "\xED\xA0\x80");
  with_key("beyond U+10FFFF", "key 3", "\xF4\x90\x80\x80");
  with_key("cut sequence", "key 3", "abc\xE2\x82");
  with_key("65,536 bytes", "key 3", std::string(65'536, 'k'));
  with_key("1 MiB", "key 3", std::string(1 << 20, 'k'));
  with_key("duplicate", "general.name", "general.name");
  cases.add("key: duplicate of 60,000 bytes", "kkkk", [](TinyGguf& f) {
    for (int i = 0; i < 2; ++i) f.entries.push_back({std::string(60'000, 'k'), 4, raw<uint32_t>(1)});
  });
  for (const uint64_t length :
       {kMost64, kMost64 - 7, uint64_t{1} << 63, uint64_t{1} << 32, uint64_t{65'535}}) {
    TinyGguf file = TinyGguf::llama();
    std::string bytes = file.to_bytes();
    bytes.replace(24, 8, raw(length));  // the first key's length
    cases.add_bytes("key length " + std::to_string(length), "key 0", bytes);
  }
}

void add_value_types(GgufCases& cases) {
  for (const uint32_t type : {13U, 14U, 15U, 16U, 99U, 255U, 1U << 31, 0xFFFFFFFFU}) {
    cases.add("value type " + std::to_string(type), "someone.else",
              [&](TinyGguf& f) { f.set({"someone.else", type, raw<uint64_t>(0)}); });
    cases.add("array of type " + std::to_string(type), "someone.else", [&](TinyGguf& f) {
      f.set({"someone.else", 9, raw(type) + raw<uint64_t>(1) + raw<uint64_t>(0)});
    });
  }
  for (const uint8_t value : {2, 3, 127, 128, 255}) {
    cases.add("bool " + std::to_string(value), "some.flag",
              [&](TinyGguf& f) { f.set_bool("some.flag", value); });
    cases.add("array with the bool " + std::to_string(value), "some.flags",
              [&](TinyGguf& f) { f.set_numbers<uint8_t>("some.flags", GgufType::boolean, {0, 1, value}); });
  }
}

void add_arrays(GgufCases& cases) {
  const std::string nested = raw<uint32_t>(4) + raw<uint64_t>(1) + raw<uint32_t>(7);
  cases.add("array of arrays", "some.array",
            [&](TinyGguf& f) { f.set({"some.array", 9, raw<uint32_t>(9) + raw<uint64_t>(1) + nested}); });
  cases.add("a thousand arrays inside each other", "some.array", [](TinyGguf& f) {
    std::string value;
    for (int i = 0; i < 1000; ++i) value += raw<uint32_t>(9) + raw<uint64_t>(1);
    f.set({"some.array", 9, value + raw<uint32_t>(4) + raw<uint64_t>(0)});
  });
  for (const uint32_t element : {0U, 2U, 4U, 6U, 7U, 8U, 10U, 12U})
    for (const uint64_t count :
         {kMost64, uint64_t{1} << 63, (uint64_t{1} << 61) + 1, (uint64_t{1} << 22) + 1, uint64_t{1} << 22})
      cases.add("array of " + std::to_string(count) + " of type " + std::to_string(element), "some.array",
                [&](TinyGguf& f) { f.set({"some.array", 9, raw(element) + raw(count) + raw<uint64_t>(0)}); });
}

void add_strings(GgufCases& cases) {
  for (const uint64_t length :
       {kMost64, uint64_t{1} << 63, uint64_t{1} << 40, (uint64_t{1} << 20) + 1, uint64_t{1} << 20}) {
    cases.add("string of " + std::to_string(length) + " bytes", "some.text",
              [&](TinyGguf& f) { f.set({"some.text", 8, raw(length) + "abc"}); });
    cases.add("element of " + std::to_string(length) + " bytes", "some.texts", [&](TinyGguf& f) {
      f.set({"some.texts", 9, raw<uint32_t>(8) + raw<uint64_t>(2) + gguf_string("a") + raw(length) + "abc"});
    });
  }
  cases.add("string above 1 MiB that is there", "some.text",
            [](TinyGguf& f) { f.set_text("some.text", std::string((1 << 20) + 1, 'a')); });
  cases.add("chat template above 4 MiB", "tokenizer.chat_template",
            [](TinyGguf& f) { f.set_text("tokenizer.chat_template", std::string((4 << 20) + 1, 'a')); });
  for (const char* key :
       {"general.name", "general.architecture", "tokenizer.ggml.model", "tokenizer.chat_template"}) {
    cases.add(std::string("NUL in ") + key, key,
              [&](TinyGguf& f) { f.set_text(key, std::string("a\0b", 3)); });
    cases.add(std::string("bad UTF-8 in ") + key, key, [&](TinyGguf& f) { f.set_text(key, "a\xFF"); });
    cases.add(std::string("number as ") + key, key, [&](TinyGguf& f) { f.set_u32(key, 7); });
  }
}

void add_alignment(GgufCases& cases) {
  for (const uint32_t alignment :
       {0U, 1U, 2U, 3U, 4U, 7U, 12U, 33U, 48U, 65'535U, 65'537U, 131'072U, 1U << 31, 0xFFFFFFFFU})
    cases.add("alignment " + std::to_string(alignment), "general.alignment",
              [&](TinyGguf& f) { f.set_u32("general.alignment", alignment); });
  cases.add("alignment as text", "general.alignment",
            [](TinyGguf& f) { f.set_text("general.alignment", "32"); });
  cases.add("alignment as float", "general.alignment",
            [](TinyGguf& f) { f.set_f32("general.alignment", 32); });
  cases.add("alignment as uint64", "general.alignment",
            [](TinyGguf& f) { f.set({"general.alignment", 10, raw<uint64_t>(32)}); });
  cases.add("alignment as array", "general.alignment",
            [](TinyGguf& f) { f.set_numbers<uint32_t>("general.alignment", GgufType::u32, {32}); });
  cases.add("alignment twice", "general.alignment", [](TinyGguf& f) {
    for (int i = 0; i < 2; ++i) f.entries.push_back({"general.alignment", 4, raw<uint32_t>(32)});
  });
}

}  // namespace

std::vector<MalformedCase> gguf_structure_cases() {
  GgufCases cases;
  add_header(cases);
  add_keys(cases);
  add_value_types(cases);
  add_arrays(cases);
  add_strings(cases);
  add_alignment(cases);
  return cases.take();
}

}  // namespace baleen::test

#include "base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace baleen::json {
namespace {

using testing::HasSubstr;

constexpr Limits kSmall{1000, 10, 4};

Document parsed(std::string_view text, const Limits& limits = kFileLimits) {
  auto document = Document::parse(text, limits);
  EXPECT_TRUE(document) << text << ": " << (document ? "" : document.error().message);
  return document ? std::move(*document) : *Document::parse("null", kFileLimits);
}

std::string refusal(std::string_view text, const Limits& limits = kFileLimits) {
  auto document = Document::parse(text, limits);
  if (document) return "accepted";
  EXPECT_EQ(document.error().kind, ErrorKind::bad_input);
  return document.error().message;
}

std::string repeated(std::string_view part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += part;
  return text;
}

TEST(JsonReader, GivesEveryKind) {
  Document document =
      parsed(R"({"n": null, "b": true, "i": -7, "u": 18446744073709551615, "r": 1.5, "s": "x\u00e9\n",
                                 "a": [1, [2, 3], {}], "o": {"k": "v"}})");
  const Value root = document.root();
  EXPECT_EQ(root.kind(), Kind::object);
  EXPECT_EQ(root.size(), 8u);
  EXPECT_TRUE(root.find("n")->is_null());
  EXPECT_EQ(root.find("b")->boolean(), true);
  EXPECT_EQ(root.find("i")->integer(), -7);
  EXPECT_EQ(root.find("u")->kind(), Kind::integer);
  EXPECT_EQ(root.find("u")->integer(), std::nullopt);
  EXPECT_EQ(root.find("u")->number(), 18446744073709551615.0);
  EXPECT_EQ(root.find("r")->number(), 1.5);
  EXPECT_EQ(root.find("r")->integer(), std::nullopt);
  EXPECT_EQ(root.find("s")->string(), "x\u00e9\n");
  EXPECT_EQ(root.find("a")->size(), 3u);
  EXPECT_EQ(root.find("o")->find("k")->string(), "v");
  EXPECT_FALSE(root.find("missing"));
  EXPECT_FALSE(root.find("a")->find("k"));
  EXPECT_EQ(root.find("i")->string(), std::nullopt);
  EXPECT_EQ(root.find("s")->number(), std::nullopt);
  EXPECT_EQ(root.boolean(), std::nullopt);
}

TEST(JsonReader, KeepsOrderOfMembersAndElements) {
  Document document = parsed(R"({"z": [10, [], {"q": 1}, 40], "a": {}, "m": "end"})");
  std::string keys;
  for (const auto& [key, value] : document.root()) keys += key;
  EXPECT_EQ(keys, "zam");
  std::vector<size_t> sizes;
  for (const auto& [key, value] : *document.root().find("z")) {
    EXPECT_EQ(key, "");
    sizes.push_back(value.size());
  }
  EXPECT_THAT(sizes, testing::ElementsAre(0, 0, 1, 0));
  for (const char* without_members : {"m", "a"}) {
    const Value value = *document.root().find(without_members);
    EXPECT_EQ(value.begin(), value.end());
  }
}

TEST(JsonReader, DefaultValueIsNull) {
  EXPECT_TRUE(Value().is_null());
  EXPECT_EQ(Value().size(), 0u);
  EXPECT_EQ(Value().number(), std::nullopt);
  EXPECT_EQ(Value().begin(), Value().end());
}

TEST(JsonReader, RealWithoutFractionIsAnInteger) {
  EXPECT_EQ(parsed("16.0").root().integer(), 16);
  EXPECT_EQ(parsed("1e3").root().integer(), 1000);
  EXPECT_EQ(parsed("-9223372036854775808.0").root().integer(), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(parsed("9223372036854775808.0").root().integer(), std::nullopt);
}

TEST(JsonReader, IntegersBeyond64BitsArriveAsReals) {
  struct Case {
    const char* text;
    Kind kind;
    double number;
  };
  for (const Case& each : {Case{"9223372036854775807", Kind::integer, 9223372036854775807.0},
                           Case{"18446744073709551615", Kind::integer, 18446744073709551615.0},
                           Case{"18446744073709551616", Kind::real, 18446744073709551616.0},
                           Case{"-9223372036854775808", Kind::integer, -9223372036854775808.0},
                           Case{"-9223372036854775809", Kind::real, -9223372036854775809.0},
                           Case{"1000000000000000019884624838656", Kind::real, 1e30},
                           Case{"1000000000000000019884624838656.0", Kind::real, 1e30}}) {
    const std::string in_array = "[" + std::string(each.text) + ",\"" + each.text + "\"," + each.text + "]";
    Document document = parsed(in_array);
    auto element = document.root().begin();
    EXPECT_EQ((*element).second.kind(), each.kind) << each.text;
    EXPECT_EQ((*element).second.number(), each.number) << each.text;
    EXPECT_EQ((*++element).second.string(), each.text);
    EXPECT_EQ((*++element).second.number(), each.number) << each.text;
    EXPECT_EQ(parsed(each.text).root().number(), each.number);
  }
  // The document that made this necessary.
  EXPECT_EQ(parsed(R"({"model_max_length": 1000000000000000019884624838656})")
                .root()
                .find("model_max_length")
                ->number(),
            1e30);
}

TEST(JsonReader, NumbersAreExactOrRefused) {
  for (const char* text :
       {"0.1", "5e-324", "2.2250738585072011e-308", "1.7976931348623157e308", "9007199254740993.0",
        "0.30000000000000004", "123456789012345678901234567890.5e-10"})
    EXPECT_EQ(parsed(text).root().number(), std::strtod(text, nullptr)) << text;
  for (const char* text : {"1e309", "-1e400", "[1,2e999]", "01", "-", "1.", ".5", "+1", "0x10", "1e", "NaN",
                           "Infinity", "00000000000000000000000001"})
    EXPECT_THAT(refusal(text), HasSubstr("JSON")) << text;
  EXPECT_NE(refusal(std::string(400, '9')), "accepted");
}

TEST(JsonReader, RefusesWhatIsNotOneJsonValue) {
  for (const char* text : {"",    " ",   "[1,]",    "{\"a\":1,}",  "[1 2]",  "{} {}",  "nul",
                           "tru", "'a'", "{a:1}",   "\"\\x\"",     "\"\t\"", "\"open", "\"open\\",
                           "[",   "]",   "{\"a\"}", "\"\\ud800\"", "[1]x",   ":::"})
    EXPECT_NE(refusal(text), "accepted") << text;
  EXPECT_NE(refusal(std::string_view("[1]\0", 4)), "accepted");
}

TEST(JsonReader, RefusesBrokenUtf8) {
  for (const char* text :
       {"\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xe2\x82\""})
    EXPECT_NE(refusal(text), "accepted");
}

TEST(JsonReader, RefusesDuplicateKeysHoweverTheyAreWritten) {
  EXPECT_THAT(refusal(R"({"a": 1, "a": 2})"), HasSubstr("\"a\" stands twice"));
  EXPECT_THAT(refusal(R"([{"b": {"a": 1, "x": 3, "\u0061": 2}}])"), HasSubstr("\"a\" stands twice"));
  EXPECT_EQ(parsed(R"([{"a": 1}, {"a": {"a": 2}}])").root().size(), 2u);
}

TEST(JsonReader, LimitsDepth) {
  for (size_t depth : {1u, 4u}) {
    const Limits limits{1000, 100, depth};
    const auto nested = [](size_t levels) {
      return repeated("[", static_cast<int>(levels)) + "1" + repeated("]", static_cast<int>(levels));
    };
    parsed(nested(depth), limits);
    EXPECT_THAT(refusal(nested(depth + 1), limits), HasSubstr("levels of nesting"));
  }
  EXPECT_THAT(refusal(repeated("[", 1'000'000)), HasSubstr("levels of nesting"));
  parsed(R"(["[[[[[[[[", "\"[[[[[[", {"]]": "{{{{{{"}])", kSmall);
}

TEST(JsonReader, LimitsValuesAndBytes) {
  parsed("[1,2,3,4,5,6,7,8,9]", kSmall);
  EXPECT_THAT(refusal("[1,2,3,4,5,6,7,8,9,10]", kSmall), HasSubstr("more than 10 values"));
  parsed(R"({"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9})", kSmall);
  EXPECT_THAT(refusal(R"({"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"j":10})", kSmall),
              HasSubstr("values"));
  EXPECT_THAT(refusal("[" + repeated("0:", 400) + "]", kSmall), HasSubstr("values"));
  EXPECT_THAT(refusal(std::string(1001, ' '), kSmall), HasSubstr("more than 1000 bytes"));
}

TEST(JsonReader, HandlesHostileKeysInTimeLinearInTheText) {
  std::string text = "{";
  for (int i = 0; i < 199'000; ++i) text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":0";
  EXPECT_EQ(parsed(text + "}", kHttpLimits).root().size(), 199'000u);
}

TEST(JsonWriter, PutsCommasAndColons) {
  Writer writer;
  writer.begin_object().member("a", 1).key("b").begin_array().value(true).null().begin_object().end_object();
  writer.begin_array()
      .end_array()
      .end_array()
      .member("c", "x")
      .member("d", std::string("y"))
      .key("e")
      .raw("[1,2]");
  writer.member("f", size_t{3}).member("g", uint32_t{4}).end_object();
  EXPECT_EQ(writer.text(), R"({"a":1,"b":[true,null,{},[]],"c":"x","d":"y","e":[1,2],"f":3,"g":4})");
}

std::string written(auto value) {
  Writer writer;
  writer.value(value);
  return writer.take();
}

TEST(JsonWriter, EscapesText) {
  EXPECT_EQ(written("\"\\/\b\f\n\r\t\x01\x1f\x7f\u00e9\u2028"),
            "\"\\\"\\\\/\\u0008\\u000c\\n\\r\\t\\u0001\\u001f\x7f\u00e9\u2028\"");
  EXPECT_EQ(written(std::string_view("a\0b", 3)), R"("a\u0000b")");
}

TEST(JsonWriter, RepairsUtf8PerMaximalSubpart) {
  // Unicode Standard, table 3-8 and its neighbours.
  EXPECT_EQ(written("\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64"),
            "\"a\uFFFD\uFFFD\uFFFDb\uFFFDc\uFFFD\uFFFDd\"");
  EXPECT_EQ(written("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"),
            "\"\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA\"");
  EXPECT_EQ(written("\xED\xA0\x80\xF4\x91\xFF\x41"), "\"\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA\"");
  EXPECT_EQ(written("\xE2\x82"), "\"\uFFFD\"");
}

TEST(JsonWriter, NumbersReadBackTheSame) {
  for (double number : {0.1, 1e300, -2.5e-7, 5e-324, 4.0, 123456789.123})
    EXPECT_EQ(parsed(written(number)).root().number(), number);
  for (float number : {0.1f, 3e38f, -2.5e-7f, 1e-45f, 4.0f, 16777217.0f})
    EXPECT_EQ(static_cast<float>(parsed(written(number)).root().number().value_or(-1)), number);
  EXPECT_EQ(written(0.1f), "0.1");
  EXPECT_EQ(written(std::numeric_limits<int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(written(std::numeric_limits<uint64_t>::max()), "18446744073709551615");
  EXPECT_EQ(written(std::nan("")), "null");
  EXPECT_EQ(written(-std::numeric_limits<float>::infinity()), "null");
}

TEST(JsonWriter, CopiesWhatWasReadUnchanged) {
  for (const char* text :
       {"null", "[]", "{}", R"({"b":[1,-2,{"x":null}],"a":{"":[[],{}]},"c":"\"é"})",
        "[true,false,1.0,-2.5e-07,1e+30]",
        "[-9223372036854775808,9223372036854775807,9223372036854775808,18446744073709551615]"})
    EXPECT_EQ(Writer().copy(parsed(text).root()).text(), text);
  const auto document = parsed(R"({"a":[1,2],"b":3})");
  Writer around;
  around.begin_object().key("x").copy(*document.root().find("a")).key("y").copy(*document.root().find("b"));
  EXPECT_EQ(around.end_object().text(), R"({"x":[1,2],"y":3})");
}

}  // namespace
}  // namespace baleen::json

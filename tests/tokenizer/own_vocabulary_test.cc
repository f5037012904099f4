// The vocabulary of our own golden models: needs nothing beside the checkout.
#include <gtest/gtest.h>
#include <time.h>

#include "golden.h"

namespace baleen::test {
namespace {

const std::filesystem::path kGolden = std::filesystem::path(BALEEN_SOURCE_DIR) / "tests/golden";

class OwnVocabulary : public testing::TestWithParam<const char*> {
 protected:
  Tokenizer tokenizer_ = tokenizer_of(kGolden / GetParam());
};

TEST_P(OwnVocabulary, MatchesTheReference) {
  const json::Document cases = read_json(kGolden / "gguf/tokenizer_cases.json");
  for (const auto& [key, test_case] : cases.root()) {
    const std::string_view text = *test_case.find("text")->string();
    std::vector<int32_t> ids;
    tokenizer_.encode_special(text, ids);
    EXPECT_EQ(ids, ids_of(*test_case.find("ids"))) << text;
    EXPECT_EQ(tokenizer_.decode(ids), text);
  }
}

TEST_P(OwnVocabulary, TextNeverBecomesAControlToken) {
  for (int32_t id = 0; id < tokenizer_.size(); ++id) {
    if (!tokenizer_.is_control(id)) continue;
    std::vector<int32_t> raw, special;
    tokenizer_.encode_text(tokenizer_.bytes(id), raw);
    tokenizer_.encode_special(tokenizer_.bytes(id), special);
    EXPECT_EQ(special, std::vector<int32_t>{id});
    for (const int32_t part : raw) EXPECT_FALSE(tokenizer_.is_control(part));
  }
}

TEST_P(OwnVocabulary, BrokenTextIsReadAsReplacementCharacters) {
  std::vector<int32_t> broken, replaced;
  tokenizer_.encode_text("a\xFF\xE2\x82z\xF0\x9F\x98", broken);
  tokenizer_.encode_text("a\uFFFD\uFFFDz\uFFFD", replaced);
  EXPECT_EQ(broken, replaced);
}

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double seconds_of(const Tokenizer& tokenizer, const std::string& text) {
  std::vector<int32_t> ids;
  const double before = cpu_seconds();
  tokenizer.encode_special(text, ids);
  EXPECT_FALSE(ids.empty());
  return cpu_seconds() - before;
}

/// A text of `size` bytes that repeats `part`.
std::string repeated(std::string_view part, size_t size) {
  std::string text;
  while (text.size() < size) text += part;
  return text;
}

TEST_P(OwnVocabulary, NoTextTakesFarLongerThanOrdinaryOnes) {
  constexpr size_t kSize = 1 << 20;
  const double ordinary =
      seconds_of(tokenizer_, repeated("It was the 3rd of May, and nobody had said a word. ", kSize));
  for (const char* part :
       {"a", " ", "\n", "7", "!", "\u0301", "\U0001F600", "\u6587\u5B57", " \t", "<|", "a\u200D"})
    EXPECT_LT(seconds_of(tokenizer_, repeated(part, kSize)), 20 * ordinary + 0.1) << part;
}

INSTANTIATE_TEST_SUITE_P(Files, OwnVocabulary,
                         testing::Values("gguf/llama-wide-q4_0.gguf", "llama-gqa/tokenizer.json",
                                         "qwen2/tokenizer.json"));

TEST(Detokenizer, HoldsBackWhatIsNoWholeCharacter) {
  const Tokenizer tokenizer = tokenizer_of(kGolden / "gguf/llama-wide-q4_0.gguf");
  std::vector<int32_t> ids;
  tokenizer.encode_text("\u65E5", ids);
  ASSERT_EQ(ids.size(), 3U);  // a byte each
  Detokenizer detokenizer(tokenizer, Detokenizer::Special::keep);
  EXPECT_EQ(detokenizer.push(ids[0]), "");
  EXPECT_EQ(detokenizer.push(ids[1]), "");
  EXPECT_EQ(detokenizer.push(ids[2]), "\u65E5");
  EXPECT_EQ(detokenizer.push(ids[0]), "");
  EXPECT_EQ(detokenizer.push(ids[0]), "\uFFFD");
  EXPECT_EQ(detokenizer.flush(), "\uFFFD");
}

}  // namespace
}  // namespace baleen::test

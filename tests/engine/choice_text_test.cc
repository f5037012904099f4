#include "engine/choice_text.h"

#include <random>

namespace baleen {
namespace {

/// A vocabulary of the 256 bytes in GPT-2's alphabet, a token "stop" and an end token.
Tokenizer byte_tokenizer() {
  Vocabulary vocabulary;
  vocabulary.kind = VocabularyKind::byte_bpe;
  vocabulary.pre = "gpt-2";
  int spare = 0;
  for (int byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    const int code = printable ? byte : 256 + spare++;
    std::string text;
    if (code < 0x80) {
      text += static_cast<char>(code);
    } else {
      text += static_cast<char>(0xC0 | (code >> 6));
      text += static_cast<char>(0x80 | (code & 0x3F));
    }
    vocabulary.tokens.push_back(text);
  }
  vocabulary.types.assign(256, TokenType::normal);
  vocabulary.tokens.push_back("<end>");
  vocabulary.types.push_back(TokenType::control);
  vocabulary.eos = 256;
  vocabulary.end_of_generation = {256};
  auto tokenizer = Tokenizer::make(vocabulary);
  EXPECT_TRUE(tokenizer.has_value()) << tokenizer.error().message;
  return std::move(*tokenizer);
}

TokenEvent token(unsigned char byte) {
  TokenEvent event;
  event.token = byte;
  return event;
}

GenerationRequest stopping_at(std::vector<std::string> stops) {
  GenerationRequest request;
  request.stop = std::move(stops);
  return request;
}

std::string ids(const std::vector<TokenEvent>& tokens) {
  std::string text;
  for (const TokenEvent& event : tokens) text += static_cast<char>(event.token);
  return text;
}

TEST(ChoiceText, HoldsBackWhatMayBecomeAStopString) {
  const Tokenizer tokenizer = byte_tokenizer();
  ChoiceText text(&tokenizer, stopping_at({"stop"}));
  for (char c : std::string("go sto")) EXPECT_FALSE(text.push(token(static_cast<unsigned char>(c))));
  const ReadyText before = text.take_ready();
  EXPECT_EQ(before.text, "go ");
  EXPECT_EQ(ids(before.tokens), "go ");
  EXPECT_FALSE(text.push(token('s')));
  EXPECT_EQ(text.take_ready().text, "sto");
  EXPECT_FALSE(text.push(token('t')));
  EXPECT_FALSE(text.push(token('o')));
  EXPECT_TRUE(text.push(token('p')));
  EXPECT_TRUE(text.finish());
  EXPECT_TRUE(text.take_ready().empty());
}

TEST(ChoiceText, TheEndReleasesWhatWasHeld) {
  const Tokenizer tokenizer = byte_tokenizer();
  ChoiceText text(&tokenizer, stopping_at({"stop"}));
  for (char c : std::string("sto")) text.push(token(static_cast<unsigned char>(c)));
  EXPECT_TRUE(text.take_ready().empty());
  EXPECT_FALSE(text.finish());
  const ReadyText rest = text.take_ready();
  EXPECT_EQ(rest.text, "sto");
  EXPECT_EQ(ids(rest.tokens), "sto");
}

TEST(ChoiceText, ACharacterInPiecesComesWhole) {
  const Tokenizer tokenizer = byte_tokenizer();
  ChoiceText text(&tokenizer, {});
  text.push(token(0xE2));
  text.push(token(0x82));
  EXPECT_EQ(text.take_ready().text, "");
  text.push(token(0xAC));
  EXPECT_EQ(text.take_ready().text, "€");
  text.push(token(0xE2));
  text.finish();
  EXPECT_EQ(text.take_ready().text, "\uFFFD");
}

TEST(ChoiceText, AStopStringMayBeginInsideAToken) {
  const Tokenizer tokenizer = byte_tokenizer();
  ChoiceText text(&tokenizer, stopping_at({"€b"}));
  for (unsigned char byte : std::string("a€")) EXPECT_FALSE(text.push(token(byte)));
  EXPECT_EQ(text.take_ready().text, "a");
  EXPECT_TRUE(text.push(token('b')));
  EXPECT_EQ(text.take_ready().text, "");
}

TEST(ChoiceText, ControlTokensShowOnlyWhereAskedFor) {
  const Tokenizer tokenizer = byte_tokenizer();
  for (bool keep : {false, true}) {
    GenerationRequest request;
    request.keep_special = keep;
    ChoiceText text(&tokenizer, request);
    TokenEvent end;
    end.token = 256;
    text.push(end);
    const ReadyText ready = text.take_ready();
    EXPECT_EQ(ready.text, keep ? "<end>" : "");
    EXPECT_EQ(ready.tokens.size(), 1U);
  }
}

/// Whatever the stops: what comes out in pieces is the text up to the first stop string, and each token comes once.
TEST(ChoiceText, PiecesAreTheTextUpToTheFirstStop) {
  const Tokenizer tokenizer = byte_tokenizer();
  std::mt19937 random(9);
  for (int round = 0; round < 500; ++round) {
    std::vector<std::string> stops(random() % 3);
    for (std::string& stop : stops)
      for (size_t i = 1 + random() % 4; i > 0; --i) stop += static_cast<char>('a' + random() % 2);
    std::string whole, shown, tokens;
    ChoiceText text(&tokenizer, stopping_at(stops));
    bool stopped = false;
    for (int i = 0; i < 12 && !stopped; ++i) {
      whole += static_cast<char>('a' + random() % 2);
      stopped = text.push(token(static_cast<unsigned char>(whole.back())));
      const ReadyText ready = text.take_ready();
      shown += ready.text;
      tokens += ids(ready.tokens);
    }
    EXPECT_EQ(text.finish(), stopped);
    const ReadyText rest = text.take_ready();
    shown += rest.text;
    tokens += ids(rest.tokens);
    size_t longest = 0;
    for (const std::string& stop : stops)
      if (whole.ends_with(stop)) longest = std::max(longest, stop.size());
    EXPECT_EQ(stopped, longest > 0);
    EXPECT_EQ(shown, whole.substr(0, whole.size() - longest));
    EXPECT_EQ(tokens, shown);
  }
}

}  // namespace
}  // namespace baleen

#include "tokenizer/pre_tokenizer.h"

#include <utility>

#include "base/check.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/utf8_text.h"

namespace baleen {
namespace {

class SplitStage final : public PreTokenizerStage {
 public:
  explicit SplitStage(Splitter splitter) : splitter_(splitter) {}
  void apply(PieceList& list) const override {
    std::vector<Piece> parts;
    parts.reserve(list.pieces.size() * 2);
    for (const Piece piece : list.pieces) splitter_(list.text, piece, parts);
    list.pieces.swap(parts);
  }

 private:
  Splitter splitter_;
};

/// A stage that writes the text anew, piece by piece.
class RewriteStage : public PreTokenizerStage {
 public:
  void apply(PieceList& list) const final {
    std::string out;
    out.reserve(list.text.size() + list.text.size() / 4);
    std::vector<Piece> pieces;
    for (const Piece piece : list.pieces) {
      const bool first = list.starts_sequence && piece.begin == 0;
      rewrite(list.text.substr(piece.begin, piece.end - piece.begin), first, out, pieces);
    }
    CHECK(out.size() < INT32_MAX);
    list.storage = std::move(out);
    list.text = list.storage;
    list.pieces.swap(pieces);
  }

 protected:
  /// Appends to `out` what `text` becomes, and its pieces. `first`: it starts the sequence.
  virtual void rewrite(std::string_view text, bool first, std::string& out,
                       std::vector<Piece>& pieces) const = 0;
  static Piece since(size_t begin, const std::string& out) {
    return {static_cast<uint32_t>(begin), static_cast<uint32_t>(out.size())};
  }
};

class MetaspaceStage final : public RewriteStage {
 public:
  explicit MetaspaceStage(Metaspace settings) : settings_(std::move(settings)) {}

 protected:
  void rewrite(std::string_view text, bool first, std::string& out,
               std::vector<Piece>& pieces) const override {
    size_t begin = out.size();
    const bool marked = text.starts_with(' ') || text.starts_with(settings_.mark);
    const bool wanted =
        settings_.place == MarkPlace::always || (settings_.place == MarkPlace::first && first);
    if (wanted && !marked) out += settings_.mark;
    for (size_t i = 0; i < text.size();) {
      const bool space = text[i] == ' ';
      const bool mark = space || text.substr(i).starts_with(settings_.mark);
      if (mark && settings_.splits && out.size() > begin) {
        pieces.push_back(since(begin, out));
        begin = out.size();
      }
      if (mark)
        out += settings_.mark;
      else
        out += text[i];
      i += !mark || space ? 1 : settings_.mark.size();
    }
    pieces.push_back(since(begin, out));
  }

 private:
  Metaspace settings_;
};

class ByteAlphabetStage final : public RewriteStage {
 protected:
  void rewrite(std::string_view text, bool, std::string& out, std::vector<Piece>& pieces) const override {
    const size_t begin = out.size();
    for (const char byte : text) append_utf8(character_of(static_cast<uint8_t>(byte)), out);
    pieces.push_back(since(begin, out));
  }
};

class PrefixSpaceStage final : public RewriteStage {
 protected:
  void rewrite(std::string_view text, bool, std::string& out, std::vector<Piece>& pieces) const override {
    const size_t begin = out.size();
    if (!text.starts_with(' ')) out += ' ';
    out += text;
    pieces.push_back(since(begin, out));
  }
};

}  // namespace

std::unique_ptr<PreTokenizerStage> split_with(Splitter splitter) {
  return std::make_unique<SplitStage>(splitter);
}
std::unique_ptr<PreTokenizerStage> metaspace(Metaspace settings) {
  return std::make_unique<MetaspaceStage>(std::move(settings));
}
std::unique_ptr<PreTokenizerStage> write_byte_alphabet() { return std::make_unique<ByteAlphabetStage>(); }
std::unique_ptr<PreTokenizerStage> prefix_space() { return std::make_unique<PrefixSpaceStage>(); }

}  // namespace baleen

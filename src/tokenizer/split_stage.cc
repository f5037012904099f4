#include <memory>
#include <utility>

#include "base/check.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/utf8_text.h"

namespace baleen {
namespace {

/// A part of a piece: a match or what lies between two.
struct Part {
  Piece piece;
  bool match;
};

std::vector<Part> parts_of(Piece piece, const std::vector<Piece>& found, Matches matches) {
  std::vector<Part> parts;
  const bool match = matches == Matches::found;
  uint32_t at = piece.begin;
  for (const Piece range : found) {
    if (at < range.begin) parts.push_back({{at, range.begin}, !match});
    parts.push_back({range, match});
    at = range.end;
  }
  if (at < piece.end) parts.push_back({{at, piece.end}, !match});
  return parts;
}

/// Appends the pieces that parts in a row make. Empty matches have cut what is on both sides of them and vanish.
class Joiner {
 public:
  Joiner(Delimiters delimiters, std::vector<Piece>& out) : delimiters_(delimiters), out_(out) {}

  void add(const std::vector<Part>& parts) {
    for (size_t i = 0; i < parts.size(); ++i) {
      const Part* before = i > 0 ? &parts[i - 1] : nullptr;
      if (delimiters_ == Delimiters::removed && parts[i].match) continue;
      if (before != nullptr && joins(*before, parts[i]))
        out_.back().end = parts[i].piece.end;
      else
        out_.push_back(parts[i].piece);
    }
    std::erase_if(out_, [](Piece piece) { return piece.begin == piece.end; });
  }

 private:
  bool joins(const Part& left, const Part& right) const {
    switch (delimiters_) {
      case Delimiters::contiguous:
        return left.match == right.match;
      case Delimiters::merged_with_previous:
        return right.match && !left.match;
      case Delimiters::merged_with_next:
        return left.match && !right.match;
      case Delimiters::isolated:
      case Delimiters::removed:
        break;
    }
    return false;
  }

  Delimiters delimiters_;
  std::vector<Piece>& out_;
};

class SplitAt final : public PreTokenizerStage {
 public:
  explicit SplitAt(Split split) : split_(std::move(split)) {}
  void apply(PieceList& list) const override {
    const FindAll find_all = split_.search(list.text);
    std::vector<Piece> out, of_piece, found;
    for (const Piece piece : list.pieces) {
      found.clear();
      of_piece.clear();
      find_all(piece, found);
      Joiner(split_.delimiters, of_piece).add(parts_of(piece, found, split_.matches));
      out.insert(out.end(), of_piece.begin(), of_piece.end());
    }
    list.pieces.swap(out);
  }

 private:
  Split split_;
};

}  // namespace

Search search_text(std::string wanted) {
  CHECK(!wanted.empty());
  return [wanted = std::move(wanted)](std::string_view text) -> FindAll {
    return [&wanted, text](Piece piece, std::vector<Piece>& matches) {
      const std::string_view within = text.substr(0, piece.end);
      for (size_t at = piece.begin; (at = within.find(wanted, at)) != within.npos; at += wanted.size())
        matches.push_back({static_cast<uint32_t>(at), static_cast<uint32_t>(at + wanted.size())});
    };
  };
}

Search search_characters(std::function<bool(char32_t)> predicate) {
  return [predicate = std::move(predicate)](std::string_view text) -> FindAll {
    return [&predicate, text](Piece piece, std::vector<Piece>& matches) {
      const char *const base = text.data(), *const end = base + piece.end;
      for (const char* p = base + piece.begin; p < end;) {
        const auto begin = static_cast<uint32_t>(p - base);
        if (predicate(next_code_point(p))) matches.push_back({begin, static_cast<uint32_t>(p - base)});
      }
    };
  };
}

Search search_expression(Expression expression) {
  // Shared, because a function object is copied.
  const auto shared = std::make_shared<const Expression>(std::move(expression));
  return [shared](std::string_view text) -> FindAll {
    const auto search = std::make_shared<Expression::Search>(*shared, text);
    return [search](Piece piece, std::vector<Piece>& matches) { search->find_all(piece, matches); };
  };
}

std::unique_ptr<PreTokenizerStage> split_at(Split split) {
  return std::make_unique<SplitAt>(std::move(split));
}

}  // namespace baleen

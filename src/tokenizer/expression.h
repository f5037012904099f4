// A regular expression that a tokenizer.json names and that is none of the published ones (splitters.h knows those):
// PCRE2 with limits, made to see Unicode 16 and Oniguruma's dialect, which Hugging Face's library has.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "tokenizer/splitters.h"

namespace baleen {

class Expression {
 public:
  /// bad_input for one that is invalid, recursive, or over 64 KiB.
  static Result<Expression> compile(std::string_view pattern);
  Expression(Expression&&) noexcept;
  Expression& operator=(Expression&&) noexcept;
  ~Expression();

  /// Searches one text. `text` is valid UTF-8 and outlives it, as does the expression.
  class Search {
   public:
    Search(const Expression& expression, std::string_view text);
    ~Search();
    /// Appends the matches inside a piece, from left to right, empty ones too. Where a search takes too long
    /// the rest of the piece has none.
    void find_all(Piece piece, std::vector<Piece>& matches);

   private:
    struct State;
    std::unique_ptr<State> state_;
  };

 private:
  struct State;
  explicit Expression(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace baleen

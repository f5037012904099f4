// What is done to text before it is cut into pieces: tokenizer.json's "normalizer".
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/expression.h"
#include "tokenizer/normalize.h"

namespace baleen {

class NormalizerStep {
 public:
  virtual ~NormalizerStep() = default;
  /// `text` itself or a copy in `buffer`. `text` is valid UTF-8 and so is what comes back.
  virtual std::string_view apply(std::string_view text, std::string& buffer) const = 0;
};

/// Steps, one after the other.
class Normalizer {
 public:
  void add(std::unique_ptr<NormalizerStep> step) { steps_.push_back(std::move(step)); }
  bool empty() const { return steps_.empty(); }
  /// `text` itself or a copy in one of the two buffers.
  using Buffers = std::array<std::string, 2>;
  std::string_view apply(std::string_view text, Buffers& buffers) const;

 private:
  std::vector<std::unique_ptr<NormalizerStep>> steps_;
};

/// A normalisation form.
std::unique_ptr<NormalizerStep> normalize_to(NormalForm form);
/// Puts `prefix` in front of a text that is not empty.
std::unique_ptr<NormalizerStep> prepend(std::string_view prefix);
/// Every `from`, which is not empty, becomes `to`.
std::unique_ptr<NormalizerStep> replace(std::string_view from, std::string_view to);
/// Every match becomes `to`, as it stands.
std::unique_ptr<NormalizerStep> replace_matches(Expression expression, std::string_view to);
/// Every character becomes its full lower case.
std::unique_ptr<NormalizerStep> lower_case();
/// Drops marks (category M).
std::unique_ptr<NormalizerStep> strip_accents();
enum class Sides { left, right, both };
/// Drops white space at the ends.
std::unique_ptr<NormalizerStep> strip(Sides sides);
/// Every byte becomes its character of GPT-2's byte alphabet.
std::unique_ptr<NormalizerStep> to_byte_alphabet();

}  // namespace baleen

// Byte-level byte-pair encoding: a piece starts as one token a byte and is merged.
#pragma once

#include <array>
#include <atomic>
#include <memory>

#include "tokenizer/merges.h"
#include "tokenizer/piece_encoder.h"
#include "tokenizer/safe_cuts.h"
#include "tokenizer/token_table.h"

namespace baleen {

class ByteBpe final : public PieceEncoder {
 public:
  /// `tokens` holds bytes, and finds those that text may become; `byte_ids`: -1 where the
  /// vocabulary lacks a byte, which is then dropped.
  ByteBpe(TokenTable tokens, const std::array<int32_t, 256>& byte_ids, Merges merges, WholePieces whole);

  std::string_view kind() const override { return "byte_bpe"; }
  void encode(std::string_view piece, std::vector<int32_t>& ids) const override;
  size_t separable(std::string_view piece) const override;
  void encode_part(std::string_view part, std::vector<int32_t>& ids) const override;

 private:
  enum class Whole : uint8_t { not_known, itself, others };  ///< what merging a token's bytes gives
  void merge(std::string_view piece, std::vector<int32_t>& ids) const;

  TokenTable tokens_;
  std::array<int32_t, 256> byte_ids_;
  Merges merges_;
  WholePieces whole_;
  SafeCuts cuts_;  // pairs of bytes
  // By id: whether merging a token's bytes gives that token, found out when it is first met. A pure function
  // of the vocabulary, so threads may race to store it.
  std::unique_ptr<std::atomic<Whole>[]> known_;
};

}  // namespace baleen

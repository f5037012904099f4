#include "cli/vocabulary.h"

#include "cli/model_store.h"
#include "formats/checkpoint.h"

namespace baleen {

Result<Tokenizer> open_tokenizer(std::string_view model) {
  auto path = find_model(model);
  if (!path) return error_of(path);
  auto checkpoint = Checkpoint::open_vocabulary(*path);
  if (!checkpoint) return error_of(checkpoint);
  auto tokenizer = Tokenizer::make(checkpoint->vocabulary());
  if (!tokenizer) return std::unexpected(checkpoint->locate(tokenizer.error()));
  return tokenizer;
}

}  // namespace baleen

// A DeepSeek model whose matrices are wide enough for K blocks, as real files have them: experts in Q4_K and Q6_K.
#pragma once

#include <filesystem>

#include "formats/tiny_gguf.h"

namespace baleen::test {

/// A GGUF file in `folder`: random weights, 320 tokens, three layers of which the first is dense, 2 of 6 experts.
std::filesystem::path write_wide_deepseek(const TemporaryFolder& folder);

}  // namespace baleen::test

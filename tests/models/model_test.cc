#include "models/model.h"

#include "formats/tiny_gguf.h"
#include "golden.h"
#include "gtest/gtest.h"

namespace baleen::test {
namespace {

/// A valid file of 1.5 TiB that takes none: what its tensors say is there is a hole.
std::filesystem::path write_large(const TemporaryFolder& folder) {
  constexpr uint32_t kDim = 4096, kFfn = 1 << 24;
  TinyGguf file = TinyGguf::llama();
  file.set_u32("llama.embedding_length", kDim);
  file.set_u32("llama.feed_forward_length", kFfn);
  uint64_t end = 0;
  for (TinyTensor& tensor : file.tensors) {
    uint64_t values = 1;
    for (uint64_t& size : tensor.dimensions) {
      size = size == 4 ? kDim / 2 : size == 8 ? kDim : size == 16 ? kFfn : size;  // one KV head, of two heads
      values *= size;
    }
    tensor.offset = end;
    end += values * sizeof(float);
  }
  const auto path = folder.write("large.gguf", file.to_bytes());
  std::filesystem::resize_file(path, std::filesystem::file_size(path) + end);
  return path;
}

TEST(LoadModel, SaysThatTheMemoryIsTooSmall) {
  const TemporaryFolder folder;
  const auto checkpoint = Checkpoint::open(write_large(folder));
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  ThreadPool pool(1);
  const auto loaded = load_model(*checkpoint, {&kernels(Isa::ref), &pool});
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().kind, ErrorKind::failed);
  EXPECT_TRUE(loaded.error().message.starts_with("the model has 15")) << loaded.error().message;
}

ModelCost cost_of(const char* golden) { return load(golden_model(golden), best_isa(), 1).model->cost(); }

/// The last layer behind its attention is computed for wanted rows only.
TEST(ModelCost, MultiplyAddsOfHeads) {
  constexpr int64_t kLayers = 3, kInputs = 96 * (6 + 2 + 2) * 32, kEnd = 96 * 6 * 32 + 3 * 96 * 224;
  const ModelCost cost = cost_of("llama-gqa-f32");
  EXPECT_EQ(cost.macs_per_token, kLayers * kInputs + (kLayers - 1) * kEnd);
  EXPECT_EQ(cost.macs_per_wanted_row, kEnd + 320 * 96);
}

TEST(ModelCost, MultiplyAddsOfLatentsAndExperts) {
  constexpr int64_t kQueries = 128 * 4 * 80, kLatents = 128 * 96, kKeys = 4 * 48 * 64;
  constexpr int64_t kEnd = 4 * 24 * 64 + 4 * 24 * 128;
  constexpr int64_t kDense = 3 * 128 * 352, kSparse = 10 * 128 + (3 + 2) * 3 * 128 * 96;
  for (const char* name : {"deepseek-v2-lite", "deepseek-v2-lite-f32"}) {
    const ModelCost cost = cost_of(name);
    EXPECT_EQ(cost.macs_per_token, 3 * (kQueries + kLatents + kKeys) + 2 * kEnd + kDense + kSparse) << name;
    EXPECT_EQ(cost.macs_per_wanted_row, kEnd + kSparse + 320 * 128) << name;
  }
}

}  // namespace
}  // namespace baleen::test

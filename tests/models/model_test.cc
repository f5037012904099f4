#include "models/model.h"

#include "formats/tiny_gguf.h"
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

}  // namespace
}  // namespace baleen::test

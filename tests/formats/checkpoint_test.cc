#include "formats/checkpoint.h"

#include <cstdlib>

#include "formats/tiny_gguf.h"

namespace baleen {
namespace {

using test::TemporaryFolder;
using test::TinyGguf;

TEST(Checkpoint, ReadsEveryFactOfATinyModel) {
  const TemporaryFolder folder;
  auto checkpoint = Checkpoint::open(folder.write("tiny.gguf", TinyGguf::llama().to_bytes()));
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  const HyperParameters& params = checkpoint->params();
  EXPECT_EQ(params.architecture, "llama");
  EXPECT_EQ(params.layers, 2);
  EXPECT_EQ(params.dim, 8);
  EXPECT_EQ(params.heads, 2);
  EXPECT_EQ(params.kv_heads, 1);
  EXPECT_EQ(params.key_dim, 4);
  EXPECT_EQ(params.value_dim, 4);
  EXPECT_EQ(params.ffn_dim, 16);
  EXPECT_EQ(params.context, 64);
  EXPECT_EQ(params.vocab_rows, 260);
  EXPECT_EQ(params.norm_eps, 1e-5F);
  EXPECT_EQ(params.rope.pairs, RopePairs::neighbours);
  EXPECT_EQ(params.rope.dimensions, 4);
  EXPECT_EQ(params.rope.scaling, RopeScaling::none);
  EXPECT_EQ(checkpoint->name(), "tiny");
  EXPECT_EQ(checkpoint->tensors().size(), 21U);
  const Tensor* down = checkpoint->find("blk.1.ffn_down.weight");
  ASSERT_NE(down, nullptr);
  EXPECT_EQ(down->rows, 8);
  EXPECT_EQ(down->cols, 16);
  EXPECT_EQ(down->bytes.size(), 8U * 16 * 4);
  EXPECT_EQ(checkpoint->find("blk.2.ffn_down.weight"), nullptr);
}

TEST(Checkpoint, ReadsByteLevelVocabulary) {
  const TemporaryFolder folder;
  auto checkpoint = Checkpoint::open(folder.write("tiny.gguf", TinyGguf::llama().to_bytes()));
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  const Vocabulary& vocabulary = checkpoint->vocabulary();
  EXPECT_EQ(vocabulary.kind, VocabularyKind::byte_bpe);
  EXPECT_EQ(vocabulary.pre, "gpt-2");
  EXPECT_EQ(vocabulary.tokens.size(), 260U);
  EXPECT_EQ(vocabulary.tokens[' '], "\u0120");
  EXPECT_THAT(vocabulary.merges, testing::ElementsAre("h e"));
  EXPECT_EQ(vocabulary.types[258], TokenType::control);
  EXPECT_EQ(vocabulary.bos, 257);
  EXPECT_EQ(vocabulary.eos, 258);
  EXPECT_EQ(vocabulary.unk, -1);
  EXPECT_FALSE(vocabulary.add_bos);
  EXPECT_THAT(vocabulary.end_of_generation, testing::ElementsAre(258, 259)) << "<|endoftext|> is a known end";
  EXPECT_FALSE(checkpoint->chat_template().empty());
}

TEST(Checkpoint, ReadsSentencePieceVocabularyWithItsDefaults) {
  const TemporaryFolder folder;
  auto checkpoint = Checkpoint::open(folder.write("tiny.gguf", TinyGguf::llama_sentencepiece().to_bytes()));
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  const Vocabulary& vocabulary = checkpoint->vocabulary();
  EXPECT_EQ(vocabulary.kind, VocabularyKind::sentencepiece);
  EXPECT_EQ(vocabulary.pre, "default");
  EXPECT_TRUE(vocabulary.add_bos);
  EXPECT_TRUE(vocabulary.add_space_prefix);
  EXPECT_EQ(vocabulary.scores.size(), vocabulary.tokens.size());
}

TEST(Checkpoint, AbsentKeysHaveTheirConventionalValues) {
  TinyGguf file = TinyGguf::llama();
  for (const char* key :
       {"llama.attention.head_count_kv", "llama.rope.freq_base", "llama.rope.dimension_count",
        "llama.vocab_size", "general.name", "tokenizer.ggml.token_type", "tokenizer.chat_template"})
    file.erase_entry(key);
  for (const char* layer : {"blk.0.", "blk.1."})
    for (const char* name : {"attn_k.weight", "attn_v.weight"})
      file.tensor(std::string(layer) + name).dimensions = {8, 8};
  const TemporaryFolder folder;
  auto checkpoint = Checkpoint::open(folder.write("some-model.gguf", file.to_bytes()));
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  EXPECT_EQ(checkpoint->params().kv_heads, 2);
  EXPECT_EQ(checkpoint->params().rope.theta, 10000);
  EXPECT_EQ(checkpoint->params().rope.dimensions, 4);
  EXPECT_EQ(checkpoint->name(), "some-model");
  EXPECT_EQ(checkpoint->chat_template(), "");
  EXPECT_EQ(checkpoint->vocabulary().types[258], TokenType::normal);
}

TEST(Checkpoint, LegalVariantsOpen) {
  const struct {
    const char* what;
    void (*change)(TinyGguf&);
  } kVariants[] = {
      {"version 2", [](TinyGguf& f) { f.version = 2; }},
      {"tied embeddings", [](TinyGguf& f) { f.erase_tensor("output.weight"); }},
      {"rope_freqs", [](TinyGguf& f) { f.tensors.push_back({"rope_freqs.weight", {2}}); }},
      {"tensors in reverse", [](TinyGguf& f) { std::reverse(f.tensors.begin(), f.tensors.end()); }},
      {"unknown metadata", [](TinyGguf& f) { f.set_text("someone.else", "x"); }},
      {"alignment 8", [](TinyGguf& f) { f.set_u32("general.alignment", 8), f.alignment = 8; }},
      {"alignment 65536", [](TinyGguf& f) { f.set_u32("general.alignment", 65536), f.alignment = 65536; }},
      {"other integer types", [](TinyGguf& f) { f.set({"llama.block_count", 11, test::raw<int64_t>(2)}); }},
      {"linear rope scaling",
       [](TinyGguf& f) {
         f.set_text("llama.rope.scaling.type", "linear"), f.set_f32("llama.rope.scaling.factor", 4);
       }},
      {"dimensions of one at the end",
       [](TinyGguf& f) { f.tensor("output_norm.weight").dimensions = {8, 1, 1, 1}; }},
      {"f16 matrices", [](TinyGguf& f) { f.tensor("blk.0.attn_q.weight").type = 1; }},
      {"a token of no type",
       [](TinyGguf& f) { f.entry("tokenizer.ggml.token_type").value.replace(12, 4, test::raw<int32_t>(0)); }},
      {"the heads of each layer, all alike",
       [](TinyGguf& f) {
         f.set_numbers<uint32_t>("llama.attention.head_count", GgufType::u32, {2, 2});
         f.set_numbers<int32_t>("llama.attention.head_count_kv", GgufType::i32, {1, 1});
         f.set_numbers<int32_t>("llama.feed_forward_length", GgufType::i32, {16, 16});
       }},
      {"no vocabulary",
       [](TinyGguf& f) {
         std::erase_if(f.entries, [](const test::TinyEntry& e) { return e.key.starts_with("tokenizer."); });
         f.set_text("tokenizer.ggml.model", "no_vocab");
       }},
  };
  const TemporaryFolder folder;
  for (const auto& variant : kVariants) {
    TinyGguf file = TinyGguf::llama();
    variant.change(file);
    auto checkpoint = Checkpoint::open(folder.write("tiny.gguf", file.to_bytes()));
    EXPECT_TRUE(checkpoint) << variant.what << ": " << checkpoint.error().message;
  }
}

TEST(Checkpoint, PaddingBetweenTensorsIsLegal) {
  TinyGguf file = TinyGguf::llama();
  file.tensors.back().offset = 1 << 16;
  std::string bytes = file.to_bytes();
  bytes.resize(bytes.size() + (1 << 16) + 1024);
  const TemporaryFolder folder;
  auto checkpoint = Checkpoint::open(folder.write("tiny.gguf", bytes));
  EXPECT_TRUE(checkpoint) << checkpoint.error().message;
}

TEST(Checkpoint, FingerprintFollowsTheWeights) {
  const TemporaryFolder folder;
  std::string bytes = TinyGguf::llama().to_bytes();
  auto first = Checkpoint::open(folder.write("a.gguf", bytes));
  auto same = Checkpoint::open(folder.write("b.gguf", bytes));
  bytes[bytes.size() - 100] ^= 1;
  auto other = Checkpoint::open(folder.write("c.gguf", bytes));
  ASSERT_TRUE(first && same && other);
  EXPECT_EQ(first->fingerprint(), same->fingerprint());
  EXPECT_NE(first->fingerprint(), other->fingerprint());
}

TEST(Checkpoint, VocabularyAloneIsEnoughForOpenVocabulary) {
  TinyGguf file = TinyGguf::llama();
  file.tensors.clear();
  std::erase_if(file.entries, [](const test::TinyEntry& e) { return e.key.starts_with("llama."); });
  const TemporaryFolder folder;
  const auto path = folder.write("vocabulary.gguf", file.to_bytes());
  auto vocabulary = Checkpoint::open_vocabulary(path);
  ASSERT_TRUE(vocabulary) << vocabulary.error().message;
  EXPECT_EQ(vocabulary->vocabulary().tokens.size(), 260U);
  auto model = Checkpoint::open(path);
  ASSERT_FALSE(model);
  EXPECT_THAT(model.error().message, testing::HasSubstr("llama.block_count"));
}

TEST(Checkpoint, RefusesTextsThatWouldFillTheMemory) {
  const TemporaryFolder folder;
  const std::vector<std::string> texts(17'000, std::string(4096, 'a'));  // 66 MiB
  TinyGguf tokens = TinyGguf::llama(), merges = tokens;
  tokens.set_texts("tokenizer.ggml.tokens", texts);
  merges.set_texts("tokenizer.ggml.merges", texts);
  for (const TinyGguf* file : {&tokens, &merges}) {
    const auto checkpoint = Checkpoint::open_vocabulary(folder.write("large.gguf", file->to_bytes()));
    ASSERT_FALSE(checkpoint);
    EXPECT_EQ(checkpoint.error().kind, ErrorKind::bad_input);
    EXPECT_THAT(checkpoint.error().message, testing::HasSubstr("bytes of text, the limit is 67108864"));
  }
}

TEST(Checkpoint, OpensThroughASymbolicLink) {
  const TemporaryFolder folder;
  folder.write("blob", TinyGguf::llama().to_bytes());
  std::filesystem::create_symlink("blob", folder.path() / "model.gguf");
  EXPECT_TRUE(Checkpoint::open(folder.path() / "model.gguf"));
}

/// The tiny model in files of the set, tensors dealt out in turn.
std::vector<TinyGguf> split(int files) {
  const TinyGguf whole = TinyGguf::llama();
  std::vector<TinyGguf> parts(files);
  parts[0].entries = whole.entries;
  for (int i = 0; i < files; ++i) {
    parts[i].set({"split.no", 2, test::raw<uint16_t>(static_cast<uint16_t>(i))});
    parts[i].set({"split.count", 2, test::raw<uint16_t>(static_cast<uint16_t>(files))});
    parts[i].set({"split.tensors.count", 5, test::raw<int32_t>(static_cast<int32_t>(whole.tensors.size()))});
  }
  for (size_t i = 0; i < whole.tensors.size(); ++i)
    parts[i % parts.size()].tensors.push_back(whole.tensors[i]);
  return parts;
}

std::filesystem::path write_split(const TemporaryFolder& folder, const std::vector<TinyGguf>& parts) {
  for (size_t i = 0; i < parts.size(); ++i)
    folder.write("tiny-0000" + std::to_string(i + 1) + "-of-00003.gguf", parts[i].to_bytes());
  return folder.path() / "tiny-00001-of-00003.gguf";
}

TEST(Checkpoint, SplitFilesBecomeOneModel) {
  const TemporaryFolder folder;
  auto checkpoint = Checkpoint::open(write_split(folder, split(3)));
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  EXPECT_EQ(checkpoint->tensors().size(), 21U);
  for (const Tensor& tensor : checkpoint->tensors()) checkpoint->release(tensor);
  EXPECT_EQ(checkpoint->find("token_embd.weight")->bytes[0], std::byte{0});
}

TEST(Checkpoint, BadSplitsAreRefused) {
  const struct {
    const char* names;
    void (*change)(std::vector<TinyGguf>&);
  } kCases[] = {
      {"split.no", [](auto& f) { std::swap(f[1], f[2]); }},
      {"split.count", [](auto& f) { f[2].set({"split.count", 2, test::raw<uint16_t>(4)}); }},
      {"split.count", [](auto& f) { f[2].erase_entry("split.count"); }},
      {"split.count", [](auto& f) { f[0].set({"split.count", 2, test::raw<uint16_t>(2)}); }},
      {"split.no", [](auto& f) { std::swap(f[0], f[1]); }},
      {"split.tensors.count", [](auto& f) { f[1].tensors.pop_back(); }},
      {"split.tensors.count", [](auto& f) { f[0].erase_entry("split.tensors.count"); }},
      {"tiny-00003-of-00003.gguf", [](auto& f) { f.pop_back(); }},
      {"token_embd.weight", [](auto& f) { f[1].tensors[0].name = "token_embd.weight"; }},
  };
  for (const auto& each : kCases) {
    const TemporaryFolder folder;
    std::vector<TinyGguf> files = split(3);
    each.change(files);
    auto checkpoint = Checkpoint::open(write_split(folder, files));
    ASSERT_FALSE(checkpoint) << each.names;
    EXPECT_EQ(checkpoint.error().kind, ErrorKind::bad_input);
    EXPECT_THAT(checkpoint.error().message, testing::HasSubstr(each.names));
  }
}

TEST(Checkpoint, OpensTheGoldenModels) {
  const std::filesystem::path golden = std::filesystem::path(BALEEN_SOURCE_DIR) / "tests/golden/gguf";
  int opened = 0;
  for (const auto& each : std::filesystem::directory_iterator(golden)) {
    if (each.path().extension() != ".gguf") continue;
    auto checkpoint = Checkpoint::open(each.path());
    EXPECT_TRUE(checkpoint) << checkpoint.error().message;
    ++opened;
  }
  EXPECT_EQ(opened, 10);
}

TEST(Checkpoint, OpensTheDefaultModel) {
  const char* home = std::getenv("HOME");
  const auto path = std::filesystem::path(home != nullptr ? home : "") /
                    ".local/share/baleen/models/SmolLM2-135M-Instruct.Q4_1.gguf";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path;
  auto checkpoint = Checkpoint::open(path);
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  EXPECT_EQ(checkpoint->params().layers, 30);
  EXPECT_EQ(checkpoint->params().key_dim, 64);
  EXPECT_EQ(checkpoint->vocabulary().pre, "smollm");
  EXPECT_EQ(checkpoint->vocabulary().merges.size(), 48'900U);
  EXPECT_EQ(checkpoint->find("token_embd.weight")->type, BlockType::q8_0);
  EXPECT_THAT(checkpoint->vocabulary().end_of_generation, testing::ElementsAre(0, 2));
}

}  // namespace
}  // namespace baleen

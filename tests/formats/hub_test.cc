// Hugging Face folders.
#include "formats/checkpoint.h"
#include "formats/hub_names.h"
#include "formats/tiny_hub.h"

namespace baleen {
namespace {

using test::TemporaryFolder;
using test::TinyHub;
using test::write_folder;

TEST(HubFolder, BecomesACheckpointWithGgufNames) {
  const TemporaryFolder folder;
  auto checkpoint = Checkpoint::open(write_folder(folder, TinyHub::llama().files()));
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  const HyperParameters& params = checkpoint->params();
  EXPECT_EQ(params.architecture, "llama");
  EXPECT_EQ(params.layers, 2);
  EXPECT_EQ(params.key_dim, 4);
  EXPECT_EQ(params.vocab_rows, 20);
  EXPECT_EQ(params.rope.pairs, RopePairs::halves);
  EXPECT_EQ(params.norm_eps, 1e-5F);
  EXPECT_EQ(checkpoint->name(), "model");
  EXPECT_EQ(checkpoint->tensors().size(), 21U);
  const Tensor* down = checkpoint->find("blk.1.ffn_down.weight");
  ASSERT_NE(down, nullptr);
  EXPECT_EQ(down->rows, 8);
  EXPECT_EQ(down->cols, 16);
  EXPECT_EQ(down->type, BlockType::bf16);
  EXPECT_EQ(checkpoint->vocabulary().kind, VocabularyKind::none);
  EXPECT_EQ(checkpoint->vocabulary().bos, 1);
  EXPECT_THAT(checkpoint->vocabulary().end_of_generation, testing::ElementsAre(2));
}

TEST(HubFolder, ShardsAndLinksAreOneModel) {
  const TemporaryFolder folder;
  const auto shards = write_folder(folder, TinyHub::llama().sharded());
  auto checkpoint = Checkpoint::open(shards);
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  EXPECT_EQ(checkpoint->tensors().size(), 21U);
  // The hub's cache: snapshots/REVISION/NAME -> ../../blobs/HASH.
  std::filesystem::create_directories(folder.path() / "snapshots/1");
  int blob = 0;
  for (const auto& each : std::filesystem::directory_iterator(shards)) {
    const std::string hash = "blob" + std::to_string(blob++);
    std::filesystem::copy_file(each.path(), folder.path() / hash);
    std::filesystem::create_symlink("../../" + hash, folder.path() / "snapshots/1" / each.path().filename());
  }
  auto linked = Checkpoint::open(folder.path() / "snapshots/1/");
  ASSERT_TRUE(linked) << linked.error().message;
  EXPECT_EQ(linked->fingerprint(), checkpoint->fingerprint());
}

TEST(HubFolder, LegalVariantsOpen) {
  const struct {
    const char* what;
    void (*change)(TinyHub&);
  } kVariants[] = {
      {"mistral", [](TinyHub& h) { h.set("model_type", "\"mistral\""), h.set("sliding_window", "null"); }},
      {"an output matrix beside tied embeddings", [](TinyHub& h) { h.set("tie_word_embeddings", "true"); }},
      {"tied without one",
       [](TinyHub& h) { h.set("tie_word_embeddings", "true"), h.erase_tensor("lm_head.weight"); }},
      {"inv_freq",
       [](TinyHub& h) {
         h.weights.tensors.push_back({"model.layers.0.self_attn.rotary_emb.inv_freq", "F32", {2}});
       }},
      {"mixed types",
       [](TinyHub& h) {
         h.tensor("model.norm.weight").dtype = "F32", h.tensor("lm_head.weight").dtype = "F16";
       }},
      {"no metadata", [](TinyHub& h) { h.weights.metadata = ""; }},
      {"several ends", [](TinyHub& h) { h.set("eos_token_id", "[2, 3]"); }},
      {"unknown keys", [](TinyHub& h) { h.set("someone", "{\"else\": [1, {}]}"); }},
      {"a limit beyond int64",
       [](TinyHub& h) { h.set("model_max_length", "1000000000000000019884624838656"); }},
      {"newer style",
       [](TinyHub& h) {
         h.erase("rope_theta");
         h.set("rope_parameters", "{\"rope_type\": \"default\", \"rope_theta\": 500000}");
       }},
      {"both styles that agree", [](TinyHub& h) { h.set("rope_parameters", "{\"rope_theta\": 10000}"); }},
      {"linear scaling",
       [](TinyHub& h) { h.set("rope_scaling", "{\"type\": \"linear\", \"factor\": 2.0}"); }},
      {"biases of the MLP",
       [](TinyHub& h) {
         h.set("mlp_bias", "true");
         for (const std::string layer : {"0", "1"}) {
           const std::string mlp = "model.layers." + layer + ".mlp.";
           h.weights.tensors.push_back({mlp + "gate_proj.bias", "BF16", {16}});
           h.weights.tensors.push_back({mlp + "up_proj.bias", "BF16", {16}});
           h.weights.tensors.push_back({mlp + "down_proj.bias", "BF16", {8}});
         }
       }},
      {"smollm3", [](TinyHub& h) { h.set("model_type", "\"smollm3\""), h.set("no_rope_layers", "[1, 0]"); }},
  };
  const TemporaryFolder folder;
  for (const auto& variant : kVariants) {
    TinyHub hub = TinyHub::llama();
    variant.change(hub);
    auto checkpoint = Checkpoint::open(write_folder(folder, hub.files()));
    EXPECT_TRUE(checkpoint) << variant.what << ": " << checkpoint.error().message;
  }
}

HyperParameters params_of(TinyHub hub) {
  const TemporaryFolder folder;
  auto checkpoint = Checkpoint::open(write_folder(folder, hub.files()));
  EXPECT_TRUE(checkpoint) << checkpoint.error().message;
  return checkpoint ? checkpoint->params() : HyperParameters{};
}

TEST(HubFolder, RopeScalingInEitherStyle) {
  TinyHub hub = TinyHub::llama();
  hub.set("rope_scaling",
          R"({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                             "original_max_position_embeddings": 16})");
  const RopeParameters old_style = params_of(hub).rope;
  EXPECT_EQ(old_style.scaling, RopeScaling::llama3);
  EXPECT_EQ(old_style.factor, 8);
  EXPECT_EQ(old_style.original_context, 16);
  hub = TinyHub::llama();
  hub.erase("rope_theta");
  hub.set("rope_parameters", R"({"rope_type": "yarn", "rope_theta": 1000.0, "factor": 4.0,
                                "original_max_position_embeddings": 16})");
  const RopeParameters new_style = params_of(hub).rope;
  EXPECT_EQ(new_style.scaling, RopeScaling::yarn);
  EXPECT_EQ(new_style.theta, 1000);
  EXPECT_NEAR(new_style.attention_factor, 1.1386294, 1e-6);  // 0.1 ln 4 + 1
}

TEST(HubFolder, WindowsAndLayersWithoutRope) {
  TinyHub hub = TinyHub::llama();
  hub.set("model_type", "\"mistral\"");
  hub.set("sliding_window", "12");
  EXPECT_EQ(params_of(hub).sliding_window, 12);
  hub.set("model_type", "\"llama\"");
  EXPECT_EQ(params_of(hub).sliding_window, 0);
  hub.set("model_type", "\"smollm3\"");
  hub.set("no_rope_layer_interval", "2");
  EXPECT_THAT(params_of(hub).layers_without_rope, testing::ElementsAre(1));
  hub.set("no_rope_layers", "[0, 1]");
  EXPECT_THAT(params_of(hub).layers_without_rope, testing::ElementsAre(0));
}

TEST(HubFolder, EndsOfGenerationAreAUnion) {
  TinyHub hub = TinyHub::llama();
  hub.others["generation_config.json"] = R"({"eos_token_id": [7, 2, 5]})";
  const TemporaryFolder folder;
  auto checkpoint = Checkpoint::open(write_folder(folder, hub.files()));
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  EXPECT_THAT(checkpoint->vocabulary().end_of_generation, testing::ElementsAre(2, 5, 7));
}

TEST(HubFolder, VocabularyNeedsNoModel) {
  const TemporaryFolder folder;
  const auto path = write_folder(folder, {{"tokenizer.json", "{}"}});
  auto checkpoint = Checkpoint::open_vocabulary(path);
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  EXPECT_EQ(checkpoint->vocabulary().kind, VocabularyKind::tokenizer_json);
  EXPECT_EQ(checkpoint->vocabulary().tokenizer_json, "{}");
  EXPECT_FALSE(Checkpoint::open(path));
}

TEST(HubNames, GoBothWays) {
  for (const char* name :
       {"model.embed_tokens.weight", "model.norm.weight", "lm_head.weight",
        "model.layers.0.self_attn.q_proj.bias", "model.layers.117.mlp.down_proj.weight",
        "model.layers.3.mlp.experts.255.up_proj.weight_scale_inv", "model.layers.3.mlp.gate.weight",
        "model.layers.3.mlp.gate.e_score_correction_bias", "model.layers.61.eh_proj.weight",
        "model.layers.0.self_attn.indexer.k_norm.bias"}) {
    const auto gguf = gguf_name(name);
    ASSERT_TRUE(gguf) << name;
    EXPECT_EQ(hub_name(*gguf), name);
  }
  for (const char* name :
       {"", "model.layers.0", "model.layers.-1.mlp.up_proj.weight", "model.layers.00.mlp.up_proj.weight",
        "model.layers.0.mlp.up_proj", "blk.0.attn_q.weight", "model.layers.0.mlp.experts.00.up_proj.weight",
        "model.layers.0.mlp.experts.up_proj.weight", "model.layers.0.mlp.experts.1.gate.weight",
        "model.layers.99999999999.mlp.up_proj.weight"})
    EXPECT_FALSE(gguf_name(name)) << name;
}

TEST(HubFolder, OpensTheGoldenFolders) {
  const std::filesystem::path golden = std::filesystem::path(BALEEN_SOURCE_DIR) / "tests/golden";
  for (const char* name :
       {"llama-gqa", "llama-rope3", "mistral", "qwen2", "qwen3", "qwen3-moe", "deepseek-v2",
        "deepseek-v2-lite", "deepseek-v3", "deepseek-v3-fp8", "deepseek-v3.2"}) {
    auto checkpoint = Checkpoint::open(golden / name);
    EXPECT_TRUE(checkpoint) << checkpoint.error().message;
  }
}

}  // namespace
}  // namespace baleen

// What no golden folder covers, against a forward pass in double written from the papers: layers without rope (SmolLM3,
// arXiv 2501.18795), and biases on every matrix (Llama's attention_bias and mlp_bias).
#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "formats/tiny_gguf.h"
#include "golden.h"
#include "gtest/gtest.h"

namespace baleen {
namespace {

constexpr int kDim = 48, kHeads = 4, kKvHeads = 2, kHeadDim = 12, kFfn = 64, kLayers = 4, kVocab = 50;
constexpr double kTheta = 10000, kEps = 1e-5;

struct Variant {
  std::string model_type;
  bool biases = false;
  std::vector<int> layers_without_rope = {};
};

using Row = std::vector<double>;
using Matrix = std::vector<Row>;

/// Tensors by name, with random values; the folder that holds them.
class ReferenceModel {
 public:
  explicit ReferenceModel(Variant variant) : variant_(std::move(variant)) {
    add("model.embed_tokens.weight", kVocab, kDim);
    add("model.norm.weight", 1, kDim);
    for (int layer = 0; layer < kLayers; ++layer) {
      const std::string at = "model.layers." + std::to_string(layer) + ".";
      add(at + "input_layernorm.weight", 1, kDim);
      add(at + "post_attention_layernorm.weight", 1, kDim);
      add_linear(at + "self_attn.q_proj", kHeads * kHeadDim, kDim);
      add_linear(at + "self_attn.k_proj", kKvHeads * kHeadDim, kDim);
      add_linear(at + "self_attn.v_proj", kKvHeads * kHeadDim, kDim);
      add_linear(at + "self_attn.o_proj", kDim, kHeads * kHeadDim);
      add_linear(at + "mlp.gate_proj", kFfn, kDim);
      add_linear(at + "mlp.up_proj", kFfn, kDim);
      add_linear(at + "mlp.down_proj", kDim, kFfn);
    }
  }

  void write(const test::TemporaryFolder& folder) const {
    std::string header = "{", data;
    for (const auto& [name, tensor] : tensors_) {
      const std::string shape = tensor.rows == 1
                                    ? std::to_string(tensor.cols)
                                    : std::to_string(tensor.rows) + "," + std::to_string(tensor.cols);
      const size_t begin = data.size();
      data.append(reinterpret_cast<const char*>(tensor.values.data()), tensor.values.size() * sizeof(float));
      header += (header.size() > 1 ? ",\"" : "\"") + name + R"(":{"dtype":"F32","shape":[)" + shape +
                R"(],"data_offsets":[)" + std::to_string(begin) + "," + std::to_string(data.size()) + "]}";
    }
    header += "}";
    folder.write("model.safetensors", test::raw<uint64_t>(header.size()) + header + data);
    folder.write("config.json", config());
  }

  /// Logits of every position.
  Matrix forward(const std::vector<int32_t>& ids) const {
    Matrix x;
    for (const int32_t id : ids) x.push_back(row_of("model.embed_tokens.weight", id));
    for (int layer = 0; layer < kLayers; ++layer) {
      const std::string at = "model.layers." + std::to_string(layer) + ".";
      add_to(x, attention(layer, at + "self_attn.", norms(x, at + "input_layernorm.weight")));
      Matrix h = norms(x, at + "post_attention_layernorm.weight");
      for (Row& row : h) row = mlp(at + "mlp.", row);
      add_to(x, h);
    }
    Matrix logits;
    for (const Row& row : norms(x, "model.norm.weight"))
      logits.push_back(multiply("model.embed_tokens", row));
    return logits;
  }

 private:
  struct Values {
    int rows, cols;
    std::vector<float> values;
  };

  void add(const std::string& name, int rows, int cols) {
    std::normal_distribution<float> normal(rows == 1 ? 1.0F : 0.0F, rows == 1 ? 0.2F : 0.3F);
    Values tensor{rows, cols, {}};
    for (int i = 0; i < rows * cols; ++i) tensor.values.push_back(normal(random_));
    tensors_.emplace(name, std::move(tensor));
  }
  void add_linear(const std::string& name, int rows, int cols) {
    add(name + ".weight", rows, cols);
    if (variant_.biases) add(name + ".bias", 1, rows);
  }

  std::string config() const {
    std::string text = R"({"model_type":")" + variant_.model_type +
                       R"(","hidden_size":48,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":12,)"
                       R"("intermediate_size":64,"num_hidden_layers":4,"vocab_size":50,"rms_norm_eps":1e-5,)"
                       R"("max_position_embeddings":256,"rope_theta":10000,"tie_word_embeddings":true)";
    if (variant_.biases) text += R"(,"attention_bias":true,"mlp_bias":true)";
    if (!variant_.layers_without_rope.empty()) text += R"(,"no_rope_layer_interval":2)";
    return text + "}";
  }

  Row row_of(const std::string& name, int row) const {
    const Values& tensor = tensors_.at(name);
    const auto begin = tensor.values.begin() + row * tensor.cols;
    return {begin, begin + tensor.cols};
  }

  Row multiply(const std::string& name, const Row& x) const {
    const Values& matrix = tensors_.at(name + ".weight");
    const auto bias = tensors_.find(name + ".bias");
    Row out;
    for (int r = 0; r < matrix.rows; ++r) {
      double sum = bias == tensors_.end() ? 0 : bias->second.values[static_cast<size_t>(r)];
      for (int k = 0; k < matrix.cols; ++k)
        sum += double{matrix.values[static_cast<size_t>(r * matrix.cols + k)]} * x[static_cast<size_t>(k)];
      out.push_back(sum);
    }
    return out;
  }

  Matrix norms(const Matrix& x, const std::string& name) const {
    const Row weight = row_of(name, 0);
    Matrix out;
    for (Row row : x) {
      double squares = 0;
      for (const double value : row) squares += value * value;
      const double scale = 1 / std::sqrt(squares / kDim + kEps);
      for (size_t i = 0; i < row.size(); ++i) row[i] *= scale * weight[i];
      out.push_back(std::move(row));
    }
    return out;
  }

  static void add_to(Matrix& sum, const Matrix& what) {
    for (size_t t = 0; t < sum.size(); ++t)
      for (size_t i = 0; i < sum[t].size(); ++i) sum[t][i] += what[t][i];
  }

  Row mlp(const std::string& at, const Row& h) const {
    Row gate = multiply(at + "gate_proj", h);
    const Row up = multiply(at + "up_proj", h);
    for (size_t i = 0; i < gate.size(); ++i) gate[i] = gate[i] / (1 + std::exp(-gate[i])) * up[i];
    return multiply(at + "down_proj", gate);
  }

  /// Halves, as folders have them.
  static void rotate(Row& heads, size_t position) {
    constexpr size_t kHalf = kHeadDim / 2;
    for (size_t head = 0; head < heads.size(); head += kHeadDim)
      for (size_t i = 0; i < kHalf; ++i) {
        const double angle =
            static_cast<double>(position) * std::pow(kTheta, -2.0 * static_cast<double>(i) / kHeadDim);
        const double a = heads[head + i], b = heads[head + i + kHalf];
        heads[head + i] = a * std::cos(angle) - b * std::sin(angle);
        heads[head + i + kHalf] = b * std::cos(angle) + a * std::sin(angle);
      }
  }

  Matrix attention(int layer, const std::string& at, const Matrix& h) const {
    const bool turns =
        std::ranges::find(variant_.layers_without_rope, layer) == variant_.layers_without_rope.end();
    Matrix keys, values, out;
    for (size_t t = 0; t < h.size(); ++t) {
      Row q = multiply(at + "q_proj", h[t]);
      keys.push_back(multiply(at + "k_proj", h[t]));
      values.push_back(multiply(at + "v_proj", h[t]));
      if (turns) rotate(q, t), rotate(keys.back(), t);
      Row mixed(kHeads * kHeadDim);
      for (size_t head = 0; head < kHeads; ++head) mix(head, q, keys, values, mixed);
      out.push_back(multiply(at + "o_proj", mixed));
    }
    return out;
  }

  static void mix(size_t head, const Row& q, const Matrix& keys, const Matrix& values, Row& mixed) {
    const size_t own = head * kHeadDim, shared = head / (kHeads / kKvHeads) * kHeadDim;
    Row weights;
    double sum = 0;
    for (const Row& key : keys) {
      double score = 0;
      for (size_t i = 0; i < kHeadDim; ++i) score += q[own + i] * key[shared + i];
      weights.push_back(std::exp(score / std::sqrt(kHeadDim)));
      sum += weights.back();
    }
    for (size_t t = 0; t < keys.size(); ++t)
      for (size_t i = 0; i < kHeadDim; ++i) mixed[own + i] += weights[t] / sum * values[t][shared + i];
  }

  Variant variant_;
  std::mt19937 random_{7};
  std::map<std::string, Values> tensors_;
};

double largest_difference(const std::vector<float>& ours, const Matrix& reference) {
  double largest = 0;
  for (size_t t = 0; t < reference.size(); ++t)
    for (size_t i = 0; i < reference[t].size(); ++i)
      largest = std::max(largest, std::abs(ours[t * reference[t].size() + i] - reference[t][i]));
  return largest;
}

/// `variant` within float32's rounding, and another variant's reference, on the same weights, far from it.
void expect_reference(const Variant& variant, const Variant& other) {
  const test::TemporaryFolder folder;
  const ReferenceModel model(variant);
  model.write(folder);
  const test::TestModel loaded = test::load(folder.path(), best_isa(), 2);
  ASSERT_NE(loaded.model, nullptr);
  std::vector<int32_t> ids;
  for (int32_t i = 0; i < 70; ++i) ids.push_back(i * 7 % kVocab);
  const auto ours = test::logits_of(*loaded.model, KvType::f32, ids);
  EXPECT_LE(largest_difference(ours, model.forward(ids)), 1e-3);
  EXPECT_GE(largest_difference(ours, ReferenceModel(other).forward(ids)), 0.1);
}

TEST(DenseReference, Llama) { expect_reference({"llama"}, {"llama", true}); }

TEST(DenseReference, LayersWithoutRope) {
  expect_reference({"smollm3", false, {1, 3}}, {"smollm3", false, {0, 2}});
}

TEST(DenseReference, BiasesOnEveryMatrix) { expect_reference({"llama", true}, {"llama"}); }

}  // namespace
}  // namespace baleen

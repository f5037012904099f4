#include "golden.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/json.h"
#include "base/mapped_file.h"
#include "gtest/gtest.h"
#include "models/evaluator.h"

namespace baleen::test {
namespace {

std::string read_text(const std::filesystem::path& path) {
  auto file = MappedFile::open(path);
  if (!file) {
    ADD_FAILURE() << file.error().message;
    return "null";
  }
  return {reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size()};
}

template <class T>
std::vector<T> read_tensor(const std::filesystem::path& path, const std::string& name) {
  const std::string bytes = read_text(path);
  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), sizeof(header_bytes));
  auto header = json::Document::parse(bytes.substr(8, header_bytes), json::kSafetensorsLimits);
  const auto tensor = header ? header->root().find(name) : std::nullopt;
  if (!tensor) {
    ADD_FAILURE() << path << ": no tensor " << name;
    return {};
  }
  std::vector<int64_t> offsets;
  for (const auto [key, value] : *tensor->find("data_offsets")) offsets.push_back(*value.integer());
  std::vector<T> values(static_cast<size_t>(offsets[1] - offsets[0]) / sizeof(T));
  std::memcpy(values.data(), bytes.data() + 8 + header_bytes + offsets[0], values.size() * sizeof(T));
  return values;
}

std::vector<int32_t> ids_of(json::Value array) {
  std::vector<int32_t> ids;
  for (const auto [key, value] : array) ids.push_back(static_cast<int32_t>(*value.integer()));
  return ids;
}

}  // namespace

std::filesystem::path golden_folder() { return std::filesystem::path(BALEEN_SOURCE_DIR) / "tests/golden"; }

std::filesystem::path golden_model(const std::string& name) {
  const std::filesystem::path folder = golden_folder() / name;
  return std::filesystem::is_directory(folder) ? folder : golden_folder() / "gguf" / (name + ".gguf");
}

std::vector<float> read_floats(const std::filesystem::path& path, const std::string& name) {
  return read_tensor<float>(path, name);
}

std::vector<int32_t> read_ints(const std::filesystem::path& path, const std::string& name) {
  return read_tensor<int32_t>(path, name);
}

Golden read_golden(const std::string& name) {
  const bool is_folder = std::filesystem::is_directory(golden_folder() / name);
  const std::string stem =
      is_folder ? (golden_folder() / name).string() + "/" : (golden_folder() / "gguf" / name).string() + ".";
  Golden golden;
  auto prompts = json::Document::parse(read_text(stem + "prompts.json"), json::kFileLimits);
  for (const auto [key, value] : *prompts->root().find("prompts")) {
    golden.logits.push_back(read_floats(stem + "logits.safetensors", std::to_string(golden.prompts.size())));
    golden.prompts.push_back(ids_of(value));
  }
  auto greedy = json::Document::parse(read_text(stem + "greedy.json"), json::kFileLimits);
  for (const json::Value run : {greedy->root(), *greedy->root().find("long")})
    golden.greedy.push_back({static_cast<size_t>(*run.find("prompt")->integer()), ids_of(*run.find("ids"))});
  return golden;
}

TestModel load(const std::filesystem::path& path, Isa isa, int threads, const LoadOptions& options) {
  TestModel loaded;
  loaded.processor = std::make_unique<Processor>(kernels(isa), threads);
  auto checkpoint = Checkpoint::open(path);
  if (!checkpoint) {
    ADD_FAILURE() << checkpoint.error().message;
    return loaded;
  }
  auto model = load_model(*checkpoint, loaded.processor->compute(), options);
  if (!model) {
    ADD_FAILURE() << model.error().message;
    return loaded;
  }
  loaded.model = std::move(*model);
  return loaded;
}

std::vector<float> logits_of(const Model& model, KvType kv_type, const std::vector<int32_t>& ids,
                             int32_t chunk) {
  auto evaluator = Evaluator::make(model, kv_type, static_cast<int32_t>(ids.size()), chunk);
  std::vector<float> all;
  evaluator->evaluate(ids, [&](size_t, std::span<const float> logits) {
    all.insert(all.end(), logits.begin(), logits.end());
  });
  return all;
}

int32_t top(const float* logits, size_t vocab_rows) {
  return static_cast<int32_t>(std::max_element(logits, logits + vocab_rows) - logits);
}

Difference compare(const std::vector<float>& ours, const std::vector<float>& reference, size_t vocab_rows) {
  Difference difference;
  EXPECT_EQ(ours.size(), reference.size());
  if (ours.size() != reference.size()) return difference;
  size_t same = 0;
  for (size_t i = 0; i < ours.size(); ++i) {
    const double distance = std::abs(double{ours[i]} - double{reference[i]});
    EXPECT_TRUE(std::isfinite(distance));
    difference.max = std::max(difference.max, distance);
    difference.mean += distance / static_cast<double>(ours.size());
  }
  const size_t rows = ours.size() / vocab_rows;
  for (size_t row = 0; row < rows; ++row)
    same += top(&ours[row * vocab_rows], vocab_rows) == top(&reference[row * vocab_rows], vocab_rows) ? 1 : 0;
  difference.same_top = static_cast<double>(same) / static_cast<double>(rows);
  return difference;
}

std::vector<int32_t> greedy_continuation(const Model& model, KvType kv_type,
                                         const std::vector<int32_t>& prompt, size_t tokens) {
  const auto vocab = static_cast<size_t>(model.params().vocab_rows);
  auto evaluator = Evaluator::make(model, kv_type, static_cast<int32_t>(prompt.size() + tokens));
  std::vector<int32_t> next = prompt, continuation;
  while (continuation.size() < tokens) {
    int32_t best = 0;
    evaluator->evaluate(next, [&](size_t, std::span<const float> logits) {
      best = top(logits.data() + logits.size() - vocab, vocab);
    });
    continuation.push_back(best);
    next = {best};
  }
  return continuation;
}

void expect_reference_logits(const Model& model, const Golden& golden) {
  const auto vocab = static_cast<size_t>(model.params().vocab_rows);
  for (size_t i = 0; i < golden.prompts.size(); ++i) {
    const Difference difference =
        compare(logits_of(model, KvType::f32, golden.prompts[i]), golden.logits[i], vocab);
    EXPECT_LE(difference.max, 1e-3) << "prompt " << i;
    EXPECT_LE(difference.mean, 1e-4) << "prompt " << i;
  }
}

void expect_reference_tokens(const Model& model, const Golden& golden) {
  for (const Greedy& run : golden.greedy)
    EXPECT_EQ(greedy_continuation(model, KvType::f32, golden.prompts[run.prompt], run.ids.size()), run.ids);
}

}  // namespace baleen::test

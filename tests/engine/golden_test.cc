// The engine on real weights: what it answers to many at once is what the model says alone, bit for bit.
#include <memory>
#include <thread>

#include "base/json.h"
#include "base/mapped_file.h"
#include "engine/engine.h"
#include "engine/load.h"

namespace baleen {
namespace {

std::string golden(const std::string& name) {
  return std::string(BALEEN_SOURCE_DIR) + "/tests/golden/gguf/" + name;
}

struct LoadedEngine {
  LoadedEngine(const std::string& file, const EngineOptions& options, int threads = 2)
      : processor(kernels(best_isa()), threads) {
    auto loaded = load(golden(file), processor.compute());
    EXPECT_TRUE(loaded.has_value()) << loaded.error().message;
    engine = std::move(Engine::start(std::move(*loaded), processor.compute(), options).value());
  }
  Processor processor;
  std::unique_ptr<Engine> engine;
};

struct Answer {
  std::string text;
  std::vector<int32_t> tokens;
  std::vector<float> logprobs;
  FinishReason reason = FinishReason::failed;
  bool operator==(const Answer&) const = default;
};

Answer read_answer(EventStream& events) {
  Answer answer;
  GenerationEvent event;
  while (events.wait(event)) {
    answer.text += event.kind == GenerationEvent::Kind::text ? event.text : "";
    for (const TokenEvent& token : event.tokens) {
      answer.tokens.push_back(token.token);
      answer.logprobs.push_back(token.logprob);
    }
    if (event.kind == GenerationEvent::Kind::finished) answer.reason = event.reason;
    EXPECT_NE(event.kind, GenerationEvent::Kind::failed) << event.text;
  }
  return answer;
}

std::vector<int32_t> ids_of(const json::Value& array) {
  std::vector<int32_t> ids;
  for (const auto [key, value] : array) ids.push_back(static_cast<int32_t>(*value.integer()));
  return ids;
}

json::Document read_json(const std::string& path) {
  const auto file = MappedFile::open(path);
  const std::string_view text(reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size());
  return std::move(*json::Document::parse(text, json::kFileLimits));
}

std::vector<std::vector<int32_t>> golden_prompts(const std::string& stem) {
  const json::Document document = read_json(golden(stem + ".prompts.json"));
  std::vector<std::vector<int32_t>> prompts;
  for (const auto [key, value] : *document.root().find("prompts")) prompts.push_back(ids_of(value));
  return prompts;
}

TEST(EngineGolden, GreedyContinuationOfTheReference) {
  LoadedEngine loaded("llama-gqa-f32.gguf", {.kv_type = KvType::f32});
  const json::Document document = read_json(golden("llama-gqa-f32.greedy.json"));
  GenerationRequest request;
  request.prompt = golden_prompts("llama-gqa-f32")[1];
  const std::vector<int32_t> expected = ids_of(*document.root().find("ids"));
  request.max_tokens = static_cast<int32_t>(expected.size());
  request.sampling.temperature = 0;
  request.ignore_eos = true;
  EXPECT_EQ(read_answer(*loaded.engine->submit(request).events).tokens, expected);
}

std::vector<GenerationRequest> mixed_requests() {
  std::vector<GenerationRequest> requests;
  const auto prompts = golden_prompts("llama-wide-q4_1");
  for (size_t i = 0; i < 18; ++i) {  // enough for two threads to take shares
    GenerationRequest request;
    request.prompt = prompts[i % prompts.size()];
    request.prompt.resize(request.prompt.size() - std::min(i, request.prompt.size() - 1));
    // So long that seven pages hold few at once, however slowly requests come in, and any of them alone.
    request.max_tokens = 60 + static_cast<int32_t>(i);
    request.sampling.temperature = i % 2 == 0 ? 0 : 0.9F;
    request.sampling.seed = i;
    request.ignore_eos = true;
    request.logprobs = true;
    requests.push_back(std::move(request));
  }
  return requests;
}

TEST(EngineGolden, AloneBatchedChunkedAndPreemptedAreTheSameBits) {
  const std::vector<GenerationRequest> requests = mixed_requests();
  std::vector<Answer> alone;
  {
    LoadedEngine loaded("llama-wide-q4_1.gguf", {}, 1);
    for (const GenerationRequest& request : requests)
      alone.push_back(read_answer(*loaded.engine->submit(request).events));
  }
  for (const Answer& answer : alone) ASSERT_GE(answer.tokens.size(), 20U);
  const size_t page = [] {
    LoadedEngine loaded("llama-wide-q4_1.gguf", {}, 1);
    return loaded.engine->model().model->kv_layout(KvType::f16).page_bytes();
  }();
  struct Way {
    size_t kv_bytes;
    int32_t step_tokens;
    bool preempts;
  };
  for (const Way& way : {Way{0, 256, false}, Way{0, 7, false}, Way{7 * page, 256, true}}) {
    LoadedEngine loaded("llama-wide-q4_1.gguf", {.kv_bytes = way.kv_bytes, .step_tokens = way.step_tokens});
    std::vector<std::shared_ptr<EventStream>> streams;
    for (const GenerationRequest& request : requests) {
      Submission submission = loaded.engine->submit(request);
      ASSERT_NE(submission.events, nullptr) << submission.message;
      streams.push_back(std::move(submission.events));
    }
    for (size_t i = 0; i < streams.size(); ++i)
      EXPECT_EQ(read_answer(*streams[i]), alone[i]) << "request " << i << ", steps of " << way.step_tokens;
    if (way.preempts) {
      EXPECT_GT(loaded.engine->stats().preemptions, 0U);
    }
  }
}

TEST(EngineGolden, ScoredLaterWithTheSameDigits) {
  LoadedEngine loaded("llama-wide-q4_1.gguf", {});
  GenerationRequest request = mixed_requests()[1];
  const Answer answer = read_answer(*loaded.engine->submit(request).events);
  const size_t prompt = request.prompt.size();
  request.prompt.insert(request.prompt.end(), answer.tokens.begin(), answer.tokens.end());
  request.max_tokens = 0;
  request.score_prompt = true;
  const Answer scored = read_answer(*loaded.engine->submit(request).events);
  ASSERT_EQ(scored.logprobs.size(), request.prompt.size());
  for (size_t i = 0; i < answer.logprobs.size(); ++i)
    EXPECT_EQ(scored.logprobs[prompt + i], answer.logprobs[i]);
}

TEST(EngineGolden, StopStringsAndEndTokensEndTheAnswer) {
  LoadedEngine loaded("llama-wide-q4_1.gguf", {});
  GenerationRequest request = mixed_requests()[2];
  request.max_tokens = 60;
  const Answer whole = read_answer(*loaded.engine->submit(request).events);
  EXPECT_EQ(whole.reason, FinishReason::length);
  ASSERT_GT(whole.text.size(), 12U);

  request.stop = {whole.text.substr(6, 3)};
  const Answer stopped = read_answer(*loaded.engine->submit(request).events);
  EXPECT_EQ(stopped.reason, FinishReason::stop);
  EXPECT_EQ(stopped.text, whole.text.substr(0, whole.text.find(request.stop[0])));

  request.stop.clear();
  request.ignore_eos = false;
  const int32_t end = loaded.engine->model().tokenizer->end_of_generation().at(0);
  request.sampling.logit_bias = {{end, 1000.0F}};
  const Answer ended = read_answer(*loaded.engine->submit(request).events);
  EXPECT_EQ(ended.reason, FinishReason::stop);
  EXPECT_TRUE(ended.tokens.empty());
  EXPECT_EQ(ended.text, "");
}

TEST(Load, NamesModelsAsClientsCallThem) {
  EXPECT_EQ(model_id("/models/SmolLM2-135M.Q4_1.gguf"), "SmolLM2-135M.Q4_1");
  EXPECT_EQ(model_id("big-00001-of-00003.gguf"), "big");
  EXPECT_EQ(model_id("/models/Qwen3-0.6B"), "Qwen3-0.6B");
  EXPECT_EQ(model_id("/models/Qwen3-0.6B/"), "Qwen3-0.6B");
  EXPECT_EQ(model_id("-00001-of-00003.gguf"), "-00001-of-00003");
}

TEST(Load, WeightsEncodedWhileLoadingAreOtherWeights) {
  ThreadPool pool(1);
  const Compute compute{&kernels(best_isa()), &pool};
  const auto fingerprint = [&](std::optional<BlockType> weights) {
    const auto loaded = load(golden("llama-gqa-f32.gguf"), compute, {.weights = weights});
    EXPECT_TRUE(loaded.has_value()) << loaded.error().message;
    return loaded->fingerprint;
  };
  const uint64_t as_they_are = fingerprint(std::nullopt), q8_0 = fingerprint(BlockType::q8_0);
  EXPECT_NE(as_they_are, q8_0);
  EXPECT_NE(q8_0, fingerprint(BlockType::q4_0));
  EXPECT_EQ(q8_0, fingerprint(BlockType::q8_0));
}

TEST(Load, SaysWhatIsWrongWithAFile) {
  ThreadPool pool(1);
  const auto loaded = load(golden("llama-gqa-f32.prompts.json"), {&kernels(best_isa()), &pool});
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error().kind, ErrorKind::bad_input);
}

}  // namespace
}  // namespace baleen

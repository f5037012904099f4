#include <fmt/format.h>

#include "base/json.h"
#include "server/case_file.h"
#include "server/fake_engine.h"
#include "server/fake_exchange.h"
#include "server/service.h"

namespace baleen {
namespace {

class OpenAiTest : public testing::Test {
 protected:
  OpenAiTest() : engine_("fake/model"), second_("second") {
    models_.add(engine_, 1);
    models_.add(second_, 2);
  }

  std::shared_ptr<FakeExchange> send(std::string method, std::string path, std::string body,
                                     std::vector<HttpField> fields = {}) {
    HttpRequest request;
    request.fields = std::move(fields);
    request.method = std::move(method);
    request.path = std::move(path);
    request.body = std::move(body);
    auto exchange = std::make_shared<FakeExchange>(std::move(request));
    service_.answer(exchange);
    return exchange;
  }
  std::shared_ptr<FakeExchange> ask(std::string path, std::string body) {
    auto exchange = send("POST", std::move(path), std::move(body));
    exchange->run();
    return exchange;
  }
  std::shared_ptr<FakeExchange> chat(const std::string& fields) {
    return ask("/v1/chat/completions",
               R"({"model": "default", "messages": [{"role": "user", "content": "Hi"}])" + fields + "}");
  }
  std::shared_ptr<FakeExchange> complete(const std::string& fields) {
    return ask("/v1/completions", R"({"model": "default", "prompt": "Hi")" + fields + "}");
  }

  FakeEngine engine_, second_;
  ServedModels models_;
  TaskThread tasks_;
  Service service_{models_, tasks_};
};

TEST_F(OpenAiTest, AnswersTheCaseFiles) {
  const auto cases = read_cases(BALEEN_SOURCE_DIR "/tests/api/openai");
  ASSERT_GT(cases.size(), 40U);
  for (const ProtocolCase& expected : cases) {
    SCOPED_TRACE(fmt::format("{}:{}", expected.file, expected.line));
    const auto exchange = send(expected.method, expected.path, expected.body);
    exchange->run();
    EXPECT_EQ(exchange->response.status, expected.status) << exchange->response.body;
    EXPECT_EQ(exchange->response.content_type, expected.content_type);
    EXPECT_EQ(check_answer(expected, exchange->response.body, exchange->events), "");
  }
}

struct FieldCase {
  const char* field;
  const char* values;  // each wrong, separated by ;
};

// Wrong types and values out of range, for every field that is honoured.
constexpr FieldCase kCommonFields[] = {
    {"model", "1;true;[];{}"},
    {"stream", "1;\"true\";[];{}"},
    {"stream_options", "1;\"x\";[];true;{\"include_usage\": 1}"},
    {"temperature", "-0.1;2.1;\"1\";true;[];{};1e300"},
    {"top_p", "-0.1;1.1;\"1\";true;[];{}"},
    {"min_p", "-0.1;1.1;\"1\";true;[];{}"},
    {"top_k", "-2;1.5;\"1\";true;[];{};99999999999;99999999999999999999"},
    {"repetition_penalty", "0;-1;11;\"1\";true;[];{}"},
    {"presence_penalty", "-2.1;2.1;\"1\";true;[];{}"},
    {"frequency_penalty", "-2.1;2.1;\"1\";true;[];{}"},
    {"logit_bias",
     "1;\"x\";[];true;{\"a\": 1};{\"-1\": 1};{\"1\": 101};{\"1\": \"1\"};{\"258\": 1};{\"99999999999\": 1}"},
    {"seed", "1.5;\"1\";true;[];{};18446744073709551615"},
    {"stop", "1;true;{};\"\";[\"\"];[1];[[]]"},
    {"n", "0;-1;17;1.5;\"1\";true;[];{};99999999999999999999"},
    {"ignore_eos", "1;\"true\";[];{}"},
};
constexpr FieldCase kChatFields[] = {
    {"messages",
     "1;\"x\";{};[];true;[1];[null];[{}];[{\"role\": \"user\"}];[{\"role\": \"king\", \"content\": \"x\"}]"},
    {"messages", "[{\"role\": 1, \"content\": \"x\"}];[{\"role\": \"user\", \"content\": 1}]"},
    {"messages",
     "[{\"role\": \"user\", \"content\": [1]}];[{\"role\": \"user\", \"content\": [{\"type\": \"text\"}]}]"},
    {"messages",
     "[{\"role\": \"user\", \"content\": \"x\", \"name\": 1}];[{\"role\": \"assistant\", \"tool_calls\": "
     "1}]"},
    {"messages", "[{\"role\": \"tool\", \"content\": \"x\"}]"},
    {"max_tokens", "0;-1;1.5;\"1\";true;[];{};99999999999999999999"},
    {"max_completion_tokens", "0;-1;1.5;\"1\";true;[];{}"},
    {"logprobs", "1;\"true\";[];{}"},
    {"top_logprobs", "1;-1;21;\"1\";true;[];{}"},
    {"tools",
     "1;\"x\";{};true;[1];[{}];[{\"type\": \"custom\"}];[{\"type\": \"function\"}];[{\"type\": \"function\", "
     "\"function\": {}}]"},
    {"tool_choice", "1;\"x\";[];{};{\"type\": \"function\", \"function\": {\"name\": \"absent\"}}"},
    {"response_format", "1;\"x\";[];{};{\"type\": \"xml\"}"},
    {"modalities", "1;\"x\";{};[\"audio\"]"},
    {"documents", "1;\"x\";{}"},
    {"chat_template_kwargs", "1;\"x\";[]"},
    {"thinking", "1;\"x\";[];{};{\"type\": 1};{\"type\": \"maybe\"}"},
    {"reasoning_effort", "1;true;[];{};\"endless\""},
    {"add_generation_prompt", "1;\"x\";[]"},
    {"continue_final_message", "1;\"x\";[]"},
};
constexpr FieldCase kCompletionFields[] = {
    {"prompt", "1;true;{};[];[true];[[\"x\"]];[-1];[258];[1.5];[[]];[\"x\", 1];[1, \"x\"];99999999999"},
    {"max_tokens", "0;-1;1.5;\"1\";true;[];{}"},
    {"echo", "1;\"true\";[];{}"},
    {"logprobs", "-1;21;1.5;\"1\";true;[];{}"},
    {"suffix", "1;true;[];{};\"x\""},
    {"best_of", "-1;21;2;1.5;\"1\";true;[];{}"},
};

void expect_refused(const HttpResponse& response, std::string_view field, std::string_view sent) {
  const std::string path = fmt::format("{} = {}", field, sent);
  EXPECT_EQ(response.status, 400) << path << " " << response.body;
  EXPECT_EQ(check_json(response.body, "error.message & error.type = \"invalid_request_error\" & error.code"),
            "")
      << path;
  const auto document = json::Document::parse(response.body, json::kHttpLimits);
  ASSERT_TRUE(document);
  const auto param = document->root().find("error")->find("param")->string();
  EXPECT_THAT(std::string(param.value_or("(null)")), testing::StartsWith(std::string(field))) << path;
}

using Members = std::vector<std::pair<std::string_view, std::string_view>>;

/// `valid` with one member in place of its namesake.
std::string body_with(const Members& valid, std::string_view field, std::string_view value) {
  std::string body = fmt::format("{{\"{}\": {}", field, value);
  for (const auto& [name, good] : valid)
    if (name != field) body += fmt::format(", \"{}\": {}", name, good);
  return body + "}";
}

template <class Ask>
void expect_all_refused(std::span<const FieldCase> fields, const Members& valid, const Ask& ask) {
  for (const FieldCase& field : fields)
    for (std::string_view values = field.values; !values.empty();) {
      const std::string_view value = values.substr(0, values.find(';'));
      values.remove_prefix(std::min(value.size() + 1, values.size()));
      expect_refused(ask(body_with(valid, field.field, value))->response, field.field, value);
    }
}

TEST_F(OpenAiTest, RefusesWrongValuesByName) {
  const auto ask_chat = [this](std::string body) { return ask("/v1/chat/completions", std::move(body)); };
  const auto ask_completion = [this](std::string body) { return ask("/v1/completions", std::move(body)); };
  const Members chat_members = {{"model", "\"default\""},
                                {"messages", R"([{"role": "user", "content": "x"}])"}};
  const Members completion_members = {{"model", "\"default\""}, {"prompt", "\"x\""}};
  expect_all_refused(kCommonFields, chat_members, ask_chat);
  expect_all_refused(kChatFields, chat_members, ask_chat);
  expect_all_refused(kCommonFields, completion_members, ask_completion);
  expect_all_refused(kCompletionFields, completion_members, ask_completion);
}

TEST_F(OpenAiTest, BadBodiesHaveNoParam) {
  for (const std::string body : {"", "{", "[]", "1", "\"x\"", "{\"a\": 1e999}", "{\"a\": NaN}",
                                 "{\"a\": 1, \"a\": 2}", "{\"a\": \"\\ud800\"}", "\xff", "{} x"}) {
    const auto exchange = ask("/v1/chat/completions", body);
    EXPECT_EQ(exchange->response.status, 400) << body;
    EXPECT_EQ(check_json(exchange->response.body, "error.message & error.param = null"), "") << body;
  }
  for (const size_t depth : {65U, 100'000U})
    EXPECT_EQ(complete(", \"x\": " + std::string(depth, '['))->response.status, 400);
  EXPECT_EQ(complete(", \"x\": " + std::string(63, '[') + std::string(63, ']'))->response.status, 200);
}

TEST_F(OpenAiTest, LimitsHoldAtTheLimit) {
  const auto stops = [](size_t count, size_t bytes) {
    std::string list = "[";
    for (size_t i = 0; i < count; ++i) list += (i > 0 ? ",\"" : "\"") + std::string(bytes, 's') + "\"";
    return ", \"stop\": " + list + "]";
  };
  EXPECT_EQ(complete(stops(16, 256))->response.status, 200);
  EXPECT_EQ(engine_.last_request().stop.size(), 16U);
  EXPECT_EQ(complete(stops(17, 1))->response.status, 400);
  EXPECT_EQ(complete(stops(1, 257))->response.status, 400);
  const auto biases = [](int count) {
    std::string object = "{";
    for (int i = 0; i < count; ++i) object += fmt::format("{}\"{}\": 1", i > 0 ? "," : "", i);
    return ", \"logit_bias\": " + object + "}";
  };
  EXPECT_EQ(complete(biases(258))->response.status, 200);
  EXPECT_EQ(complete(biases(1025))->response.status, 400);
  EXPECT_EQ(complete(", \"n\": 16")->response.status, 200);
}

TEST_F(OpenAiTest, FillsTheGenerationRequest) {
  chat(R"(, "temperature": 0.5, "top_p": 0.25, "top_k": 7, "min_p": 0.125, "seed": -2, "n": 3, "stop": "x",
          "max_completion_tokens": 4, "presence_penalty": 1, "frequency_penalty": -1, "repetition_penalty": 1.5,
          "logit_bias": {"5": -100}, "logprobs": true, "top_logprobs": 2, "ignore_eos": true)");
  const GenerationRequest request = engine_.last_request();
  EXPECT_EQ(request.sampling.temperature, 0.5F);
  EXPECT_EQ(request.sampling.top_p, 0.25F);
  EXPECT_EQ(request.sampling.top_k, 7);
  EXPECT_EQ(request.sampling.min_p, 0.125F);
  EXPECT_EQ(request.sampling.seed, static_cast<uint64_t>(-2));
  EXPECT_EQ(request.sampling.presence_penalty, 1);
  EXPECT_EQ(request.sampling.frequency_penalty, -1);
  EXPECT_EQ(request.sampling.repetition_penalty, 1.5F);
  EXPECT_THAT(request.sampling.logit_bias, testing::ElementsAre(std::pair(5, -100.0F)));
  EXPECT_EQ(request.choices, 3);
  EXPECT_EQ(request.max_tokens, 4);
  EXPECT_THAT(request.stop, testing::ElementsAre("x"));
  EXPECT_TRUE(request.ignore_eos);
  EXPECT_TRUE(request.logprobs);
  EXPECT_EQ(request.top_logprobs, 2);
}

TEST_F(OpenAiTest, DefaultsAreTheVendors) {
  chat("");
  EXPECT_EQ(engine_.last_request().sampling.temperature, 1);
  EXPECT_EQ(engine_.last_request().max_tokens, -1);
  const uint64_t seed = engine_.last_request().sampling.seed;
  complete("");
  EXPECT_EQ(engine_.last_request().max_tokens, 16);
  EXPECT_NE(engine_.last_request().sampling.seed, seed);
}

std::string text_of(const GenerationRequest& request, const Tokenizer& tokenizer) {
  return tokenizer.decode(request.prompt);
}

TEST_F(OpenAiTest, OnlyTheTemplateMakesControlTokens) {
  ask("/v1/chat/completions",
      R"({"model": "default", "messages": [{"role": "developer", "content": [{"type": "text", "text": "a"},
          {"type": "text", "text": "b"}]}, {"role": "user", "content": "<|im_end|>"}]})");
  const GenerationRequest request = engine_.last_request();
  EXPECT_EQ(text_of(request, *engine_.model().tokenizer),
            "<|im_start|>system:a\nb<|im_end|><|im_start|>user:<|im_end|><|im_end|><|im_start|>assistant:");
  EXPECT_EQ(std::ranges::count(request.prompt, 257), 2);
  ask("/v1/completions", R"({"model": "default", "prompt": "<|im_end|>"})");
  EXPECT_THAT(engine_.last_request().prompt, testing::ElementsAre(257));
}

TEST_F(OpenAiTest, RefusalsOfTheEngineAreErrors) {
  engine_.refusal = Refusal::queue_full;
  const auto full = chat("");
  EXPECT_EQ(full->response.status, 503);
  EXPECT_THAT(full->response.fields, testing::Contains(testing::Field(&HttpField::name, "retry-after-ms")));
  engine_.refusal = Refusal::shutting_down;
  EXPECT_EQ(chat("")->response.status, 503);
  engine_.refusal = Refusal::too_long;
  EXPECT_EQ(check_json(complete("")->response.body, R"(error.code = "context_length_exceeded")"), "");
}

TEST_F(OpenAiTest, FailuresBeforeAndInAStream) {
  engine_.fails = true;
  EXPECT_EQ(chat("")->response.status, 500);
  const auto stream = chat(R"(, "stream": true)");
  EXPECT_EQ(stream->response.status, 200);
  ASSERT_FALSE(stream->events.empty());
  const std::string& last = stream->events.back();
  EXPECT_EQ(
      check_json(last.substr(6), R"(error.message = "the engine failed" & error.type = "server_error")"), "");
}

TEST_F(OpenAiTest, AClientThatLeavesCancels) {
  engine_.waits = true;
  for (const char* stream : {"true", "false"}) {
    const auto exchange = send("POST", "/v1/completions",
                               fmt::format(R"({{"model": "default", "prompt": "x", "stream": {}}})", stream));
    exchange->run_until([&] { return exchange->is_watched(); });
    EXPECT_FALSE(engine_.last_stream()->cancelled);
    exchange->client_leaves();
    EXPECT_TRUE(engine_.last_stream()->cancelled);
  }
}

TEST_F(OpenAiTest, HealthFollowsTheStepLoop) {
  EXPECT_EQ(send("GET", "/healthz", "")->response.status, 200);
  second_.since_tick = 1000;
  EXPECT_EQ(send("GET", "/healthz", "")->response.status, 503);
}

TEST_F(OpenAiTest, ServesThePage) {
  const auto page = send("GET", "/", "");
  EXPECT_EQ(page->response.status, 200);
  EXPECT_THAT(page->response.content_type, testing::StartsWith("text/html"));
  EXPECT_THAT(page->response.fields,
              testing::Contains(testing::Field(&HttpField::name, "content-security-policy")));
}

TEST_F(OpenAiTest, RefusesWhatAPageOfAnotherSiteMakesABrowserAsk) {
  const std::string body = R"({"model": "default", "prompt": "Hi", "max_tokens": 1})";
  for (const std::string path : {"/v1/completions", "/v1/chat/completions"}) {
    const auto refused = send("POST", path, body, {{"sec-fetch-site", "cross-site"}});
    EXPECT_EQ(refused->response.status, 403);
    EXPECT_TRUE(refused->response.body.contains("cross_site_request")) << refused->response.body;
  }
  for (const std::string site : {"same-origin", "same-site", "none"}) {
    const auto answered = send("POST", "/v1/completions", body, {{"sec-fetch-site", site}});
    answered->run();
    EXPECT_EQ(answered->response.status, 200) << answered->response.body;
  }
  EXPECT_EQ(send("GET", "/", "", {{"sec-fetch-site", "cross-site"}})->response.status, 200);  // a link
}

TEST_F(OpenAiTest, MethodsAreChecked) {
  EXPECT_EQ(send("GET", "/v1/chat/completions", "")->response.status, 405);
  EXPECT_EQ(send("POST", "/v1/models", "")->response.status, 405);
  EXPECT_EQ(send("BREW", "/healthz", "")->response.status, 405);
  EXPECT_EQ(send("OPTIONS", "/v1/models", "")->response.status, 204);
  EXPECT_EQ(send("OPTIONS", "*", "")->response.status, 204);
  EXPECT_EQ(send("HEAD", "/healthz", "")->response.status, 200);
  EXPECT_EQ(send("GET", "/v1/nothing", "")->response.status, 404);
}

}  // namespace
}  // namespace baleen

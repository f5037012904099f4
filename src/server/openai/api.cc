#include "server/openai/api.h"

#include <utility>

#include "base/json.h"
#include "server/delivery.h"
#include "server/openai/chat_answer.h"
#include "server/openai/completion_answer.h"
#include "server/openai/prompts.h"

namespace baleen::openai {
namespace {

void answer_error(const std::shared_ptr<Exchange>& exchange, const ApiError& error) {
  exchange->post([exchange, response = to_response(error)] { exchange->respond(response); });
}

ApiError unknown_model() {
  return {.status = 404,
          .message = "The model does not exist; GET /v1/models lists those that do.",
          .param = "model",
          .code = "model_not_found"};
}

ApiError refused(const Submission& submission, std::string_view prompt_field) {
  switch (submission.refusal) {
    case Refusal::queue_full:
      return {
          .status = 503, .message = "Too many requests are waiting; try again.", .code = "server_overloaded"};
    case Refusal::shutting_down:
      return {.status = 503, .message = "The server is shutting down.", .code = "server_shutting_down"};
    case Refusal::too_long:
      return {.message = submission.message,
              .param = std::string(prompt_field),
              .code = "context_length_exceeded"};
    case Refusal::invalid:
    case Refusal::none:
      break;
  }
  return {.message = submission.message, .code = "invalid_value"};
}

Field<json::Document> parse_body(HttpRequest& request) {
  auto document = json::Document::parse(request.body, json::kHttpLimits);
  request.body = {};
  request.lease.reset();
  if (document) return std::move(*document);
  return std::unexpected(ApiError{.message = "The request body cannot be read: " + document.error().message,
                                  .code = "invalid_json"});
}

AnswerOptions answer_options(const ServedModel& model, const GenerationOptions& options,
                             std::string_view id_prefix) {
  return {.envelope = make_envelope(id_prefix, model.loaded().id, model.engine->system_fingerprint()),
          .tokenizer = model.loaded().tokenizer.get(),
          .choices = options.generation.choices,
          .logprobs = options.generation.logprobs,
          .include_usage = options.include_usage};
}

using Streams = std::vector<std::shared_ptr<EventStream>>;

/// All or nothing: where one prompt is refused, the others are cancelled.
Field<Streams> submit(const ServedModel& model, const GenerationOptions& options,
                      std::vector<std::vector<int32_t>> prompts, std::string_view prompt_field) {
  Streams streams;
  for (std::vector<int32_t>& ids : prompts) {
    GenerationRequest generation = options.generation;
    generation.prompt = std::move(ids);
    Submission submission = model.engine->submit(std::move(generation));
    if (!submission.events) {
      for (const auto& stream : streams) stream->cancel();
      return std::unexpected(refused(submission, prompt_field));
    }
    streams.push_back(std::move(submission.events));
  }
  return streams;
}

/// Finds the request's model and checks what depends on it.
Field<const ServedModel*> resolve(const ServedModels& models, GenerationOptions& options) {
  const ServedModel* model = models.find(options.model);
  if (model == nullptr) return std::unexpected(unknown_model());
  if (auto ok = complete(options, model->vocabulary()); !ok) return std::unexpected(std::move(ok.error()));
  return model;
}

struct Work {
  Streams streams;
  std::unique_ptr<Answer> answer;
};

Field<Work> begin_chat(const ServedModels& models, HttpRequest& http_request) {
  auto document = parse_body(http_request);
  if (!document) return std::unexpected(std::move(document.error()));
  auto request = read_chat_request(document->root());
  if (!request) return std::unexpected(std::move(request.error()));
  const auto model = resolve(models, request->options);
  if (!model) return std::unexpected(model.error());
  auto prompt = chat_prompt(**model, *request);
  if (!prompt) return std::unexpected(std::move(prompt.error()));
  std::vector<std::vector<int32_t>> prompts;
  prompts.push_back(std::move(prompt->ids));
  auto streams = submit(**model, request->options, std::move(prompts), "messages");
  if (!streams) return std::unexpected(std::move(streams.error()));
  AnswerOptions options = answer_options(**model, request->options, "chatcmpl");
  const auto make = request->options.stream ? streamed_chat_answer : whole_chat_answer;
  return Work{std::move(*streams), make(std::move(options), prompt->answer)};
}

Field<Work> begin_completion(const ServedModels& models, HttpRequest& http_request) {
  auto document = parse_body(http_request);
  if (!document) return std::unexpected(std::move(document.error()));
  auto request = read_completion_request(document->root());
  if (!request) return std::unexpected(std::move(request.error()));
  const auto model = resolve(models, request->options);
  if (!model) return std::unexpected(model.error());
  CompletionAnswerOptions options{.common = answer_options(**model, request->options, "cmpl"), .echoes = {}};
  std::vector<std::vector<int32_t>> prompts;
  for (const CompletionRequest::Prompt& prompt : request->prompts) {
    auto ids = completion_prompt(**model, prompt);
    if (!ids) return std::unexpected(std::move(ids.error()));
    prompts.push_back(std::move(*ids));
    options.echoes.push_back(request->echo ? echoed_text(**model, prompt) : std::string());
  }
  auto streams = submit(**model, request->options, std::move(prompts), "prompt");
  if (!streams) return std::unexpected(std::move(streams.error()));
  return Work{std::move(*streams), request->options.stream ? streamed_completion_answer(std::move(options))
                                                           : whole_completion_answer(std::move(options))};
}

using Begin = Field<Work> (*)(const ServedModels&, HttpRequest&);

void run(TaskThread& tasks, const ServedModels& models, const std::shared_ptr<Exchange>& exchange,
         Begin begin) {
  tasks.add([&models, exchange, begin] {
    if (exchange->closed()) return;
    Field<Work> work = begin(models, exchange->request());
    if (!work) return answer_error(exchange, work.error());
    deliver(exchange, std::move(work->streams), std::move(work->answer));
  });
}

void write_model(const ServedModel& model, json::Writer& writer) {
  writer.begin_object().member("id", model.loaded().id).member("object", "model");
  writer.member("created", model.created).member("owned_by", "baleen").end_object();
}

void respond(Exchange& exchange, json::Writer& writer) {
  exchange.respond({.content_type = "application/json", .body = writer.take()});
}

}  // namespace

void Api::chat_completions(const std::shared_ptr<Exchange>& exchange) {
  run(tasks_, models_, exchange, begin_chat);
}

void Api::completions(const std::shared_ptr<Exchange>& exchange) {
  run(tasks_, models_, exchange, begin_completion);
}

void Api::list_models(Exchange& exchange) const {
  json::Writer writer;
  writer.begin_object().member("object", "list").key("data").begin_array();
  for (const ServedModel& model : models_.all()) write_model(model, writer);
  writer.end_array().end_object();
  respond(exchange, writer);
}

void Api::show_model(Exchange& exchange, std::string_view name) const {
  const ServedModel* model = models_.find(name);
  if (model == nullptr) return exchange.respond(to_response(unknown_model()));
  json::Writer writer;
  write_model(*model, writer);
  respond(exchange, writer);
}

}  // namespace baleen::openai

// baleen run: a chat in the terminal, or one answer.
#include <unistd.h>

#include <memory>
#include <optional>
#include <random>
#include <string>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/model_options.h"
#include "cli/model_store.h"
#include "cli/report.h"
#include "cli/run/answer.h"
#include "cli/run/chat.h"
#include "cli/run/interrupt.h"
#include "cli/standard_input.h"
#include "engine/engine.h"
#include "engine/load.h"

namespace baleen {
namespace {

struct RunOptions {
  ComputeOptions compute;
  std::string model, system;
  std::optional<std::string> prompt;
  std::optional<uint64_t> seed;
  bool raw = false, ignore_eos = false;
  int32_t max_tokens = -1, context = 0;
  // A little calmer than the API's 1 and 1: small models ramble there.
  SamplingParams sampling{.temperature = 0.7F, .top_p = 0.95F};
};

GenerationRequest prototype(const RunOptions& options) {
  GenerationRequest request;
  request.sampling = options.sampling;
  request.sampling.seed = options.seed ? *options.seed : std::random_device()();
  request.max_tokens = options.max_tokens;
  request.ignore_eos = options.ignore_eos;
  request.keep_special = options.raw;
  return request;
}

Result<FinishReason> continue_raw(Engine& engine, Interrupt& interrupt, GenerationRequest request,
                                  const std::string& text) {
  engine.model().tokenizer->encode_special(text, request.prompt);
  auto answer = write_answer(engine, std::move(request), interrupt);
  if (!answer) return error_of(answer);
  return answer->reason;
}

Result<void> run(const RunOptions& options) {
  const bool one_answer = options.prompt.has_value() || isatty(STDIN_FILENO) == 0;
  if (options.raw && !one_answer) return wrong_usage("--raw needs -p TEXT or a text on stdin");
  Interrupt interrupt;  // before any other thread starts
  auto machine = Machine::make(options.compute);
  if (!machine) return error_of(machine);
  auto path = find_model(options.model);
  if (!path) return error_of(path);
  auto loaded = load(*path, machine->compute(), machine->load_options());
  if (!loaded) return error_of(loaded);
  if (!loaded->tokenizer)
    return wrong_usage("this model has no vocabulary: it takes token ids alone, by baleen serve");
  if (!options.raw && !loaded->chat)
    return wrong_usage("this model has no chat template: --raw -p TEXT continues a text");
  EngineOptions engine_options;
  engine_options.kv_type = machine->kv_type();
  engine_options.context = options.context;
  engine_options.queue = engine_options.choices = 1;
  auto engine = Engine::start(std::move(*loaded), machine->compute(), engine_options);
  if (!engine) return error_of(engine);

  if (!one_answer) return Chat(**engine, interrupt, prototype(options), options.system).converse();
  const std::string text = options.prompt ? *options.prompt : read_standard_input();
  auto reason = options.raw ? continue_raw(**engine, interrupt, prototype(options), text)
                            : Chat(**engine, interrupt, prototype(options), options.system).ask(text);
  if (!reason) return error_of(reason);
  if (*reason == FinishReason::cancelled) return failed("the answer was stopped");
  return {};
}

}  // namespace

void add_run(CommandLine& program) {
  auto options = std::make_shared<RunOptions>();
  Command command = program.add_command("run", "Chat in the terminal, or give one answer");
  command.add_option("MODEL", options->model, std::string(kModelHelp) + " (default: the default model)");
  command.add_option("-p,--prompt", options->prompt,
                     "one question; else a chat, or stdin where it is a pipe");
  command.add_option("-s,--system", options->system, "system prompt");
  command.add_flag("--raw", options->raw, "no chat template: continue the text; control tokens in it count");
  command.add_option("--max-tokens", options->max_tokens, "tokens of an answer at most (default: what fits)")
      .between(1, 1 << 30);
  command.add_option("--temperature", options->sampling.temperature, "0: always the likeliest token")
      .between(0.0, 100.0)
      .shows_default();
  command.add_option("--top-p", options->sampling.top_p, "share of the probability that is drawn from")
      .between(0.0, 1.0)
      .shows_default();
  command.add_option("--top-k", options->sampling.top_k, "tokens that are drawn from (0: all)")
      .not_negative();
  command
      .add_option("--min-p", options->sampling.min_p,
                  "least probability, as a share of the likeliest token's")
      .between(0.0, 1.0);
  command
      .add_option("--repetition-penalty", options->sampling.repetition_penalty, "above 1: against repetition")
      .between(0.01, 100.0);
  command.add_option("--seed", options->seed, "the same seed gives the same answer");
  command.add_option("--ctx", options->context, "tokens of the conversation at most (default: the model's)")
      .between(1, 1 << 30);
  command.add_flag("--ignore-eos", options->ignore_eos, "go on past the end of the text");
  add_model_options(command, options->compute);
  command.runs([options] { return report(run(*options)); });
}

}  // namespace baleen

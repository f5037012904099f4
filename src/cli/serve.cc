// baleen serve: the server, until a signal ends it.
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/model_options.h"
#include "cli/model_store.h"
#include "cli/report.h"
#include "engine/load.h"
#include "server/http/http_server.h"
#include "server/log.h"
#include "server/served_models.h"
#include "server/service.h"

namespace baleen {
namespace {

constexpr size_t kMostKvMemory = size_t{1} << 46;  // 64 TiB; a negative number arrives as a larger one

// For the last answers to leave once the engines are done.
constexpr HttpLimits::Duration kFlushTime{3'000};

struct ServeOptions {
  ComputeOptions compute;
  std::vector<std::string> models, names;
  std::string host = "127.0.0.1";
  uint16_t port = 8080;
  int32_t context = 0;
  size_t kv_bytes = 0;
  double drain_seconds = 30;
};

/// One model with the threads it computes on.
struct Running {
  Machine machine;
  std::unique_ptr<Engine> engine;
};

/// SIGINT and SIGTERM wait for sigwait() from here on, in every thread that is started later.
sigset_t hold_signals() {
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGINT);
  sigaddset(&ending, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  return ending;
}

/// The next SIGINT ends the process at once.
void let_interrupt_exit() {
  std::signal(SIGINT, [](int) { _exit(130); });
  sigset_t interrupt;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  pthread_sigmask(SIG_UNBLOCK, &interrupt, nullptr);
}

/// Every connection takes a file descriptor, and the usual soft limit is 1,024.
void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

Result<std::vector<std::filesystem::path>> find_models(const ServeOptions& options) {
  if (options.names.size() > options.models.size() && options.names.size() > 1)
    return wrong_usage("--model-name: there are more names than models");
  std::vector<std::filesystem::path> paths;
  for (const std::string& model : options.models) {
    auto path = find_model(model);
    if (!path) return error_of(path);
    paths.push_back(std::move(*path));
  }
  if (!paths.empty()) return paths;
  auto path = find_model("default");
  if (!path) return error_of(path);
  return std::vector{std::move(*path)};
}

Result<Running> start_model(const ServeOptions& options, const std::filesystem::path& path, size_t index) {
  auto machine = Machine::make(options.compute);
  if (!machine) return error_of(machine);
  auto loaded = load(path, machine->compute(), machine->load_options());
  if (!loaded) return error_of(loaded);
  if (index < options.names.size()) loaded->id = options.names[index];
  EngineOptions engine_options;
  engine_options.kv_bytes = options.kv_bytes;
  engine_options.kv_type = machine->kv_type();
  engine_options.context = options.context;
  auto engine = Engine::start(std::move(*loaded), machine->compute(), engine_options);
  if (!engine) return error_of(engine);
  return Running{std::move(*machine), std::move(*engine)};
}

void say_ready(const ServeOptions& options, const HttpServer& server, const std::vector<Running>& running) {
  const std::string host =
      options.host.find(':') == std::string::npos ? options.host : '[' + options.host + ']';
  const std::string url = fmt::format("http://{}:{}", host, server.port());
  for (const Running& each : running)
    fmt::print("{}: context of {} tokens, KV cache for {} tokens{}\n", each.engine->model().id,
               each.engine->context(), each.engine->pool_tokens(),
               options.compute.weights.empty() ? "" : ", float matrices as " + options.compute.weights);
  fmt::print(
      "Serving on {}\nTry: curl {}/v1/chat/completions -H 'Content-Type: application/json' -d "
      "'{{\"model\": \"default\", \"messages\": [{{\"role\": \"user\", \"content\": \"Hello\"}}]}}'\n",
      url, url);
  std::fflush(stdout);
}

void drain(double seconds, std::vector<Running>& running) {
  const auto began = std::chrono::steady_clock::now();
  for (Running& each : running) {
    const std::chrono::duration<double> past = std::chrono::steady_clock::now() - began;
    each.engine->drain(std::max(0.0, seconds - past.count()));
  }
}

Result<void> serve(const ServeOptions& options) {
  const sigset_t ending = hold_signals();
  raise_file_limit();
  const auto paths = find_models(options);
  if (!paths) return std::unexpected(paths.error());
  auto server = HttpServer::bind(options.host, options.port, HttpLimits{});
  if (!server) return error_of(server);
  std::vector<Running> running;
  ServedModels models;
  for (size_t i = 0; i < paths->size(); ++i) {
    auto started = start_model(options, (*paths)[i], i);
    if (!started) return error_of(started);
    if (models.find(started->engine->model().id) != nullptr)
      return wrong_usage("two models have the name " + started->engine->model().id + ": use --model-name");
    models.add(*started->engine, std::time(nullptr));
    running.push_back(std::move(*started));
  }
  start_log();
  TaskThread tasks;
  Service service(models, tasks);
  if (auto ok = (*server)->start(service); !ok) return ok;
  say_ready(options, **server, running);
  int signal = 0;
  sigwait(&ending, &signal);
  let_interrupt_exit();
  (*server)->stop_accepting();
  drain(options.drain_seconds, running);
  (*server)->finish(kFlushTime);
  finish_log();
  return {};
}

}  // namespace

void add_serve(CommandLine& program) {
  auto options = std::make_shared<ServeOptions>();
  Command command = program.add_command("serve", "Serve models over HTTP, as OpenAI's API does");
  command.add_option("MODEL", options->models,
                     "GGUF files, folders, or names of pulled models (default: the default model)");
  command.add_option("--host", options->host, "address to listen on").shows_default();
  command.add_option("--port", options->port, "port to listen on; 0 takes a free one").shows_default();
  command.add_option("--ctx", options->context, "tokens a conversation may have (default: the model's)")
      .positive();
  command.add_option("--kv-memory", options->kv_bytes, "memory for the KV cache of each model: 512MiB, 2GiB")
      .bytes(1, kMostKvMemory);
  command.add_option("--model-name", options->names, "what clients call the model; once a model");
  command.add_option("--drain-timeout", options->drain_seconds, "seconds that running answers get at the end")
      .between(0.0, 86'400.0)
      .shows_default();
  add_model_options(command, options->compute);
  command.runs([options] { return report(serve(*options)); });
}

}  // namespace baleen

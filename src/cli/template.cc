// baleen template: the prompt that a chat request becomes.
#include <cstdio>
#include <memory>
#include <string>

#include "base/json.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/model_store.h"
#include "cli/report.h"
#include "cli/standard_input.h"
#include "formats/checkpoint.h"
#include "prompt/model_template.h"

namespace baleen {
namespace {

struct TemplateOptions {
  std::string model, now;
  bool lines = false;
};

Result<ChatTemplate> load_template(const std::string& model) {
  auto path = find_model(model);
  if (!path) return error_of(path);
  auto checkpoint = Checkpoint::open_vocabulary(*path);
  if (!checkpoint) return error_of(checkpoint);
  auto chat = model_template(*checkpoint, nullptr);
  if (!chat) return error_of(chat);
  if (*chat) return std::move(**chat);
  return std::unexpected(bad_template(*checkpoint, "is missing, so this model has no chat format"));
}

int render_one(const ChatTemplate& chat, const std::string& now) {
  const auto prompt = chat.render(read_standard_input(), now);
  if (!prompt) return report(prompt.error());
  const bool written =
      std::fwrite(prompt->text.data(), 1, prompt->text.size(), stdout) == prompt->text.size();
  return written && std::fflush(stdout) == 0 ? 0 : 1;
}

int render_lines(const ChatTemplate& chat, const std::string& now) {
  return answer_lines([&](std::string_view line) -> Result<std::string> {
    auto prompt = chat.render(line, now);
    if (!prompt) return error_of(prompt);
    json::Writer writer;
    writer.begin_object().member("text", std::string_view(prompt->text)).end_object();
    return writer.take();
  });
}

}  // namespace

void add_template(CommandLine& program) {
  auto options = std::make_shared<TemplateOptions>();
  Command command =
      program.add_command("template", "Render a chat request (JSON on stdin) as the model's prompt");
  command.add_option("MODEL", options->model, kModelHelp).required();
  command.add_flag("--lines", options->lines, "a request a line; {\"text\": …} or {\"error\": …} a line");
  command.add_option("--now", options->now, "the local time that the template sees, as 2025-02-07T09:05:03");
  command.runs([options] {
    auto chat = load_template(options->model);
    if (!chat) return report(chat.error());
    return options->lines ? render_lines(*chat, options->now) : render_one(*chat, options->now);
  });
}

}  // namespace baleen

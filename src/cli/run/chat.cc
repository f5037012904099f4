#include "cli/run/chat.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "base/check.h"
#include "base/json.h"
#include "cli/model_store.h"
#include "cli/report.h"
#include "cli/run/answer.h"
#include "cli/run/line_editor.h"

namespace baleen {
namespace {

constexpr const char* kHelp =
    "/clear          start a new conversation\n"
    "/system [TEXT]  start a new conversation with this system prompt\n"
    "/exit           leave (so do Ctrl-D and Ctrl-C twice)\n"
    "Ctrl-C stops an answer. A line that ends in \\ goes on in the next one.\n";

// An answer should have at least so much room, or the oldest turns are forgotten.
constexpr int32_t kAnswerRoom = 64;

std::filesystem::path history_file() {
  const auto models = model_folder();
  if (!models) return {};
  std::error_code error;
  std::filesystem::create_directories(models->parent_path(), error);
  return error ? std::filesystem::path() : models->parent_path() / "run_history";
}

/// What the conversation keeps of an answer: the model's reasoning is for this turn only.
std::string content_of(AnswerParser parser, std::string_view answer) {
  parser.push(answer);
  parser.finish();
  std::string content;
  for (const AnswerPart& part : parser.take())
    if (part.kind == AnswerPart::Kind::content) content += part.text;
  return content;
}

}  // namespace

Chat::Chat(Engine& engine, Interrupt& interrupt, GenerationRequest prototype, std::string system)
    : engine_(engine), interrupt_(interrupt), prototype_(std::move(prototype)), system_(std::move(system)) {
  CHECK(engine.model().chat != nullptr && engine.model().tokenizer != nullptr);
  restart();
}

void Chat::restart() {
  messages_.clear();
  if (!system_.empty()) messages_.push_back({"system", system_});
}

Result<Chat::Prompt> Chat::prompt() const {
  json::Writer request;
  request.begin_object().key("messages").begin_array();
  for (const Message& message : messages_) {
    request.begin_object();
    request.member("role", message.role).member("content", message.content);
    request.end_object();
  }
  request.end_array().end_object();
  auto rendered = engine_.model().chat->render(request.text(), "");
  if (!rendered) return error_of(rendered);
  const AnswerFormat format{.reasons = engine_.model().chat->answers().reasons};
  return Prompt{engine_.model().tokenizer->encode(rendered->spans()), AnswerParser(format, rendered->text)};
}

bool Chat::fits(size_t tokens) const {
  const int32_t room = std::min(kAnswerRoom, engine_.context() / 2);
  return tokens + static_cast<size_t>(room) <= static_cast<size_t>(engine_.context());
}

/// Drops the first question and its answer; false where only the last question is left.
bool Chat::forget_oldest() {
  const auto first = std::ranges::find(messages_, "user", &Message::role);
  if (messages_.end() - first < 3) return false;
  messages_.erase(first, first + 2);
  return true;
}

Result<FinishReason> Chat::ask(const std::string& text) {
  const std::vector<Message> before = messages_;
  messages_.push_back({"user", text});
  auto rendered = prompt();
  bool forgot = false;
  while (rendered && !fits(rendered->ids.size()) && forget_oldest()) {
    forgot = true;
    rendered = prompt();
  }
  if (!rendered) {
    messages_ = before;
    return error_of(rendered);
  }
  if (forgot) std::fputs("[the conversation is long: its oldest turns are forgotten]\n", stderr);
  GenerationRequest request = prototype_;
  request.prompt = std::move(rendered->ids);
  auto answer = write_answer(engine_, std::move(request), interrupt_);
  if (!answer) {
    messages_ = before;
    return error_of(answer);
  }
  messages_.push_back({"assistant", content_of(std::move(rendered->answer), answer->text)});
  return answer->reason;
}

/// A line that starts with a slash; false: leave.
bool Chat::obey(const std::string& command) {
  const std::string name = command.substr(0, command.find(' '));
  if (name == "/exit" || name == "/quit" || name == "/bye") return false;
  if (name == "/clear") {
    restart();
    std::fputs("[a new conversation]\n", stderr);
  } else if (name == "/system") {
    system_ = command.size() > name.size() ? command.substr(name.size() + 1) : "";
    restart();
    std::fputs("[a new conversation]\n", stderr);
  } else {
    if (name != "/help") std::fprintf(stderr, "There is no command %s.\n", clean_line(name).c_str());
    std::fputs(kHelp, stderr);
  }
  return true;
}

Result<void> Chat::converse() {
  LineEditor editor(history_file());
  std::fprintf(stderr, "%s. /help shows the commands.\n", clean_line(engine_.model().id).c_str());
  bool interrupted = false;  // the last thing was a Ctrl-C
  while (auto line = editor.read("> ")) {
    const bool blank = line->text.find_first_not_of(" \t\n") == std::string::npos;
    if (line->interrupted) {
      std::fputc('\n', stderr);
      if (blank && interrupted) break;
      interrupted = blank;
      if (!blank) continue;  // the line is gone, no more
      std::fputs("[Ctrl-C again leaves]\n", stderr);
      continue;
    }
    interrupted = false;
    if (blank) continue;
    if (line->text.starts_with('/')) {
      if (!obey(line->text)) break;
      continue;
    }
    auto reason = ask(line->text);
    if (!reason)
      report(reason.error());  // the conversation goes on
    else
      interrupted = *reason == FinishReason::cancelled;
  }
  return {};
}

}  // namespace baleen

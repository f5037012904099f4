#include "cli/run/answer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

namespace baleen {
namespace {

void show_speed(const Usage& usage) {
  auto rate = [](int tokens, double seconds) {
    return tokens > 0 && seconds > 0 ? fmt::format(", {:.1f} tokens/s", tokens / seconds) : std::string();
  };
  // The first token comes out of the prompt's last row.
  fmt::print(stderr, "[{} tokens{}; prompt of {}{}]\n", usage.completion_tokens,
             rate(usage.completion_tokens - 1, usage.decode_seconds), usage.prompt_tokens,
             rate(usage.prompt_tokens, usage.prefill_seconds));
}

}  // namespace

std::string for_terminal(const std::string& text) {
  std::string clean;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
    if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7F) continue;
    if (byte == 0xC2 && next >= 0x80 && next < 0xA0) {  // U+0080 … U+009F
      ++i;
      continue;
    }
    clean += text[i];
  }
  return clean;
}

Result<Answer> write_answer(Engine& engine, GenerationRequest request, Interrupt& interrupt) {
  const bool terminal = isatty(STDOUT_FILENO) == 1;
  Submission submission = engine.submit(std::move(request));
  if (submission.refusal != Refusal::none) return wrong_usage(submission.message);
  interrupt.begin([events = submission.events] { events->cancel(); });
  Answer answer;
  Usage usage;
  std::string failure;
  GenerationEvent event;
  while (submission.events->wait(event)) {
    switch (event.kind) {
      case GenerationEvent::Kind::text: {
        answer.text += event.text;
        const std::string shown = terminal ? for_terminal(event.text) : event.text;
        std::fwrite(shown.data(), 1, shown.size(), stdout);
        std::fflush(stdout);
        break;
      }
      case GenerationEvent::Kind::finished:
        answer.reason = event.reason;
        break;
      case GenerationEvent::Kind::done:
        usage = event.usage;
        break;
      case GenerationEvent::Kind::failed:
        failure = event.text;
        break;
      case GenerationEvent::Kind::prompt_scored:
        break;
    }
  }
  interrupt.end();
  if (terminal && !answer.text.ends_with('\n')) std::fputc('\n', stdout);
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) return failed("stdout cannot be written");
  if (!failure.empty()) return failed(failure);
  if (!terminal && isatty(STDERR_FILENO) == 1) std::fputc('\n', stderr);
  show_speed(usage);
  return answer;
}

}  // namespace baleen

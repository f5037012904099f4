#include "cli/run/line_editor.h"

#include <histedit.h>
#include <sys/stat.h>

#include <clocale>
#include <cstdio>
#include <utility>

#include "base/check.h"

namespace baleen {
namespace {

constexpr int kHistoryLines = 1000;

/// What libedit's callbacks see.
struct Editing {
  std::string prompt;
  bool interrupted = false;
};

Editing& editing_of(EditLine* editor) {
  void* editing = nullptr;
  CHECK(el_get(editor, EL_CLIENTDATA, &editing) == 0 && editing != nullptr);
  return *static_cast<Editing*>(editing);
}

char* show_prompt(EditLine* editor) { return editing_of(editor).prompt.data(); }

/// Bound to Ctrl-C, which arrives as a key because the terminal raises no SIGINT while a line is edited.
unsigned char interrupt_key(EditLine* editor, int) {
  editing_of(editor).interrupted = true;
  std::fputs("^C", stderr);
  return CC_NEWLINE;
}

}  // namespace

struct LineEditor::State {
  EditLine* editor = nullptr;
  History* history = nullptr;
  std::filesystem::path history_file;
  Editing editing;
};

LineEditor::LineEditor(std::filesystem::path history_file) : state_(std::make_unique<State>()) {
  // libedit reads characters by the locale's encoding; nothing else here looks at the locale.
  const char* const locale = std::setlocale(LC_CTYPE, "");
  if (locale == nullptr || std::string(locale) == "C") std::setlocale(LC_CTYPE, "C.UTF-8");
  state_->history_file = std::move(history_file);
  state_->history = history_init();
  state_->editor = el_init("baleen", stdin, stderr, stderr);
  CHECK(state_->history != nullptr && state_->editor != nullptr);
  HistEvent event;
  history(state_->history, &event, H_SETSIZE, kHistoryLines);
  history(state_->history, &event, H_SETUNIQUE, 1);
  if (!state_->history_file.empty()) history(state_->history, &event, H_LOAD, state_->history_file.c_str());
  EditLine* const editor = state_->editor;
  el_set(editor, EL_CLIENTDATA, &state_->editing);
  el_set(editor, EL_PROMPT, show_prompt);
  el_set(editor, EL_EDITOR, "emacs");
  el_set(editor, EL_SIGNAL, 1);  // a resized or resumed terminal is drawn again
  el_set(editor, EL_HIST, history, state_->history);
  el_set(editor, EL_ADDFN, "interrupt", "stop", interrupt_key);
  el_set(editor, EL_SETTY, "-d", "-isig", nullptr);
  el_set(editor, EL_BIND, "^C", "interrupt", nullptr);
  el_set(editor, EL_BIND, "^R", "em-inc-search-prev", nullptr);
}

LineEditor::~LineEditor() {
  HistEvent event;
  if (!state_->history_file.empty()) {
    const mode_t mask = umask(S_IRWXG | S_IRWXO);  // what somebody asked is nobody else's business
    history(state_->history, &event, H_SAVE, state_->history_file.c_str());
    umask(mask);
  }
  el_end(state_->editor);
  history_end(state_->history);
}

std::optional<LineEditor::Line> LineEditor::read(const char* prompt) {
  Line line;
  state_->editing = {prompt, false};
  for (;;) {
    int length = 0;
    el_set(state_->editor, EL_PREP_TERM, 1);  // before the prompt shows: what is typed from then on are keys
    const char* const text = el_gets(state_->editor, &length);
    if (text != nullptr && length > 0) line.text.append(text, static_cast<size_t>(length));
    while (line.text.ends_with('\n') || line.text.ends_with('\r')) line.text.pop_back();
    line.interrupted = state_->editing.interrupted;
    if (line.interrupted) return line;
    if (text == nullptr || length <= 0) return std::nullopt;
    if (!line.text.ends_with('\\')) break;
    line.text.back() = '\n';
    state_->editing.prompt = "… ";
  }
  HistEvent event;
  if (!line.text.empty() && line.text.find('\n') == std::string::npos)
    history(state_->history, &event, H_ENTER, line.text.c_str());
  return line;
}

}  // namespace baleen

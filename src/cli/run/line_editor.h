// Reads lines from a terminal with editing and history (libedit).
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace baleen {

class LineEditor {
 public:
  /// The prompt goes to stderr, so that stdout holds answers alone. History is kept in `history_file` (mode 0600)
  /// unless that is empty.
  explicit LineEditor(std::filesystem::path history_file);
  ~LineEditor();

  struct Line {
    std::string text;  ///< without the line feed; a line that ends in a backslash takes the next one along
    bool interrupted = false;  ///< Ctrl-C was typed instead of the end of the line
  };
  /// Nothing at the end of the input (Ctrl-D).
  std::optional<Line> read(const char* prompt);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace baleen

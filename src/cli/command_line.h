// The program's command line: commands, their options, and what runs them. CLI11 stays behind it, for its headers take
// longer to compile than most commands.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace CLI {  // NOLINT(readability-identifier-naming): a library's
class App;
class Option;
}  // namespace CLI

namespace baleen {

/// An option, or an argument without dashes. Members return it again, so that they can follow each other.
class Option {
 public:
  explicit Option(CLI::Option& option) : option_(&option) {}

  Option& required();
  /// The help names what the variable holds now.
  Option& shows_default();
  /// 1,2,3
  Option& separated_by_commas();
  Option& in_lower_case();
  Option& between(int least, int most);
  Option& between(double least, double most);
  Option& not_negative();
  Option& positive();
  /// 512MiB, 2GiB
  Option& bytes(size_t least, size_t most);

 private:
  CLI::Option* option_;
};

/// A command, or a group of its options. Variables must live until it has run.
class Command {
 public:
  Command(CLI::App& app, int& exit_code) : app_(&app), exit_code_(&exit_code) {}

  /// T: std::string, int32_t, uint16_t, size_t, float, double, a vector of the first two, or an optional std::string or
  /// uint64_t, which stay empty where the option is not given.
  template <class T>
  Option add_option(const std::string& names, T& variable, const std::string& help);
  void add_flag(const std::string& names, bool& variable, const std::string& help);
  /// Options of which exactly one has to be given.
  Command add_choice(const std::string& name);

  /// What it does once its options are read; returns the exit code.
  void runs(const std::function<int()>& run);

 private:
  CLI::App* app_;
  int* exit_code_;
};

class CommandLine {
 public:
  CommandLine(const std::string& name, const std::string& version, const std::string& about);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  Command add_command(const std::string& name, const std::string& about);
  /// Parses and runs the command that is asked for. Returns the exit code, 2 for a wrong command line.
  int run(int argc, const char* const* argv);

 private:
  std::unique_ptr<CLI::App> app_;
  int exit_code_ = 0;
};

}  // namespace baleen

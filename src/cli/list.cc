#include <cstdio>
#include <memory>

#include "base/json.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/model_store.h"
#include "cli/report.h"

namespace baleen {
namespace {

void print_json(const std::vector<StoredModel>& models) {
  json::Writer writer;
  writer.begin_array();
  for (const StoredModel& model : models) {
    writer.begin_object().member("name", model.name).member("path", model.path.string());
    writer.member("bytes", model.bytes).end_object();
  }
  writer.end_array();
  std::printf("%s\n", writer.text().c_str());
}

void print_table(const std::vector<StoredModel>& models) {
  constexpr double kMegabyte = 1e6;
  if (models.empty())
    std::fprintf(stderr, "nothing here yet: `baleen pull default` fetches the default model\n");
  for (const StoredModel& model : models)
    std::printf("%-40s %10.1f MB  %s\n", model.name.c_str(), static_cast<double>(model.bytes) / kMegabyte,
                model.path.c_str());
}

}  // namespace

void add_list(CommandLine& program) {
  auto as_json = std::make_shared<bool>(false);
  Command command = program.add_command("list", "Show the models that are here");
  command.add_flag("--json", *as_json, "one JSON array: name, path, bytes");
  command.runs([as_json] {
    auto models = stored_models();
    if (!models) return report(models.error());
    *as_json ? print_json(*models) : print_table(*models);
    return 0;
  });
}

}  // namespace baleen

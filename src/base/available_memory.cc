#include "base/available_memory.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string>

namespace baleen {
namespace {

std::optional<size_t> number_in(const char* path) {
  std::ifstream file(path);
  size_t value = 0;  // "max" where there is no limit: no number
  return file >> value ? std::optional(value) : std::nullopt;
}

std::optional<size_t> field_in(const char* path, const std::string& field) {
  std::ifstream file(path);
  std::string name;
  size_t value = 0;
  while (file >> name) {
    if (name == field) return file >> value ? std::optional(value) : std::nullopt;
    file.ignore(4096, '\n');
  }
  return std::nullopt;
}

/// The container's own group: the paths of cgroup version 2, then of version 1. Cached file pages count as
/// used there although they can be given back, so the inactive ones are taken off.
std::optional<size_t> left_in_group() {
  struct Group {
    const char *limit, *usage, *statistics, *reclaimable;
  };
  for (const Group& group :
       {Group{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat",
              "inactive_file"},
        Group{"/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes",
              "/sys/fs/cgroup/memory/memory.stat", "total_inactive_file"}}) {
    const auto limit = number_in(group.limit), usage = number_in(group.usage);
    if (!limit || !usage) continue;
    const size_t used = *usage - std::min(*usage, field_in(group.statistics, group.reclaimable).value_or(0));
    return *limit - std::min(*limit, used);
  }
  return std::nullopt;
}

}  // namespace

std::optional<size_t> available_memory() {
  constexpr size_t kKiB = 1024;
  const auto machine = field_in("/proc/meminfo", "MemAvailable:");
  const auto group = left_in_group();
  if (!machine) return group;
  return std::min(*machine * kKiB, group.value_or(SIZE_MAX));
}

}  // namespace baleen

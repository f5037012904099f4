#include "base/usable_cores.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace baleen {
namespace {

using Path = std::filesystem::path;

std::optional<std::string> line_of(const Path& file) {
  std::ifstream in(file);
  std::string line;
  return std::getline(in, line) ? std::optional(line) : std::nullopt;
}

/// CPUs of one core name the same list. (core_cpus_list since Linux 5.5, thread_siblings_list before.)
int count_cores(std::span<const int> cpus, const Path& root) {
  std::set<std::string> cores;
  for (const int cpu : cpus) {
    const std::string name = "cpu" + std::to_string(cpu);
    const Path topology = root / "sys/devices/system/cpu" / name / "topology";
    auto core = line_of(topology / "core_cpus_list");
    if (!core) core = line_of(topology / "thread_siblings_list");
    cores.insert(core.value_or(name));
  }
  return static_cast<int>(cores.size());
}

/// CPUs' worth of time of a group; infinite without a limit.
double quota_of(std::istream&& quota_and_period) {
  double quota = 0, period = 0;  // "max" is no number
  if (quota_and_period >> quota >> period && quota > 0 && period > 0) return quota / period;
  return std::numeric_limits<double>::infinity();
}

double quota_of_version_1(const Path& group) {
  const auto quota = line_of(group / "cpu.cfs_quota_us"), period = line_of(group / "cpu.cfs_period_us");
  return quota_of(std::istringstream(quota.value_or("-1") + ' ' + period.value_or("0")));
}

/// This process's group of version 2 (hierarchy "0::") or of version 1's controller `cpu`, as a relative path.
Path group_of_process(const Path& root, bool version_2) {
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const size_t names = line.find(':') + 1, path = line.find(':', names) + 1;
    if (names == 0 || path == 0) continue;
    const std::string controllers = ',' + line.substr(names, path - 1 - names) + ',';
    if (version_2 ? controllers == ",," : controllers.contains(",cpu,"))
      return Path(line.substr(path)).relative_path();
  }
  return {};
}

/// The least of a group's and of all groups' around it, from the mount's own on: in a container that one is the
/// container's, and the path may be the host's, of which nothing is there.
double least_quota(const Path& mount, const Path& group, double (*quota)(const Path&)) {
  double least = quota(mount);
  Path at = mount;
  for (const Path& part : group) least = std::min(least, quota(at /= part));
  return least;
}

double quota_of_version_2(const Path& group) { return quota_of(std::ifstream(group / "cpu.max")); }

}  // namespace

int usable_cores(std::span<const int> cpus, const Path& root) {
  const Path groups = root / "sys/fs/cgroup";
  const double quota =
      std::min(least_quota(groups, group_of_process(root, true), quota_of_version_2),
               least_quota(groups / "cpu", group_of_process(root, false), quota_of_version_1));
  const double cores = std::min<double>(count_cores(cpus, root), std::ceil(quota));
  return std::max(1, static_cast<int>(cores));
}

int usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;  // more CPUs than the set has room for
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  return usable_cores(cpus, "/");
}

}  // namespace baleen

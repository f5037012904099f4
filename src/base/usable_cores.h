// How many threads a computation may keep busy.
#pragma once

#include <filesystem>
#include <span>

namespace baleen {

/// Of the CPUs that this process may run on: one for each core, whose hardware threads share its multipliers, and no
/// more than the control group's quota of processor time, rounded up (a group that has used it up stands still, all
/// threads at once). At least 1.
int usable_cores();

/// The same of these CPUs. `root` is where /sys and /proc are: cores from sys/devices/system/cpu, quotas from
/// sys/fs/cgroup, of either version. What is missing there limits nothing.
int usable_cores(std::span<const int> cpus, const std::filesystem::path& root);

}  // namespace baleen

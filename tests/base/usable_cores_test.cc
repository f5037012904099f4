#include "base/usable_cores.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

namespace baleen {
namespace {

class UsableCores : public testing::Test {
 protected:
  UsableCores()
      : root_(std::filesystem::path(testing::TempDir()) / ("usable_cores" + std::to_string(getpid()))) {
    std::filesystem::remove_all(root_);
  }
  ~UsableCores() override { std::filesystem::remove_all(root_); }

  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  void write_core(int cpu, const std::string& list, const std::string& file = "core_cpus_list") const {
    write("sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/" + file, list + "\n");
  }
  int of(const std::vector<int>& cpus) const { return usable_cores(cpus, root_); }

  std::filesystem::path root_;
};

TEST_F(UsableCores, OneForAllHardwareThreadsOfACore) {
  for (const int cpu : {0, 1, 2, 3})
    write_core(cpu, std::to_string(cpu % 2) + "," + std::to_string(cpu % 2 + 2));
  EXPECT_EQ(of({0, 1, 2, 3}), 2);
  EXPECT_EQ(of({0, 2}), 1);
  EXPECT_EQ(of({1, 2}), 2);
  write_core(4, "4-5", "thread_siblings_list");
  write_core(5, "4-5", "thread_siblings_list");
  EXPECT_EQ(of({0, 4, 5}), 2);
}

TEST_F(UsableCores, WithoutFilesEachCpuIsACore) {
  EXPECT_EQ(of({0, 1, 7}), 3);
  EXPECT_EQ(of({}), 1);
}

TEST_F(UsableCores, AGroupsQuotaRoundedUp) {
  write("sys/fs/cgroup/cpu.max", "max 100000\n");
  EXPECT_EQ(of({0, 1, 2, 3}), 4);
  write("sys/fs/cgroup/cpu.max", "150000 100000\n");
  EXPECT_EQ(of({0, 1, 2, 3}), 2);
  EXPECT_EQ(of({0}), 1);
  write("sys/fs/cgroup/cpu.max", "10000 100000\n");
  EXPECT_EQ(of({0, 1, 2, 3}), 1);
  for (const char* odd : {"", "0 100000\n", "-5 100000\n", "100000 0\n", "1e400 1\n", "many\n", "100000\n"}) {
    write("sys/fs/cgroup/cpu.max", odd);
    EXPECT_EQ(of({0, 1, 2, 3}), 4) << odd;
  }
}

TEST_F(UsableCores, TheLeastQuotaOfTheGroupsAround) {
  write("proc/self/cgroup", "1:name=systemd:/elsewhere\n0::/system.slice/baleen.service\n");
  write("sys/fs/cgroup/system.slice/baleen.service/cpu.max", "300000 100000\n");
  EXPECT_EQ(of({0, 1, 2, 3}), 3);
  write("sys/fs/cgroup/system.slice/cpu.max", "200000 100000\n");
  EXPECT_EQ(of({0, 1, 2, 3}), 2);
  write("proc/self/cgroup", "0::/docker/0123\n");  // the host's path, seen from inside a container
  write("sys/fs/cgroup/cpu.max", "100000 100000\n");
  EXPECT_EQ(of({0, 1, 2, 3}), 1);
}

TEST_F(UsableCores, GroupsOfVersion1) {
  write("proc/self/cgroup", "4:memory:/jobs\n3:cpu,cpuacct:/jobs\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(of({0, 1, 2, 3}), 4);
  write("sys/fs/cgroup/cpu/jobs/cpu.cfs_quota_us", "250000\n");
  write("sys/fs/cgroup/cpu/jobs/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(of({0, 1, 2, 3}), 3);
}

TEST(UsableCoresHere, AtLeastOne) { EXPECT_GE(usable_cores(), 1); }

}  // namespace
}  // namespace baleen

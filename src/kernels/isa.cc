#include <algorithm>
#include <ranges>

#include "base/check.h"
#include "kernels/kernel_table.h"

namespace baleen {

std::optional<Isa> parse_isa(std::string_view name) {
  for (const Isa isa : kIsas)
    if (baleen::name(isa) == name) return isa;
  return std::nullopt;
}

std::string_view name(Isa isa) {
  switch (isa) {
    case Isa::ref:
      return "ref";
    case Isa::avx2:
      return "avx2";
    case Isa::avxvnni:
      return "avxvnni";
    case Isa::avx512:
      return "avx512";
  }
  __builtin_unreachable();
}

// libgcc's CPU model asks XGETBV too: a feature whose registers the system does not save is reported as
// absent.
bool cpu_has(Isa isa) {
  const bool avx =
      __builtin_cpu_supports("avx") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
  const bool avx2 = avx && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
  switch (isa) {
    case Isa::ref:
      return avx;
    case Isa::avx2:
      return avx2;
    case Isa::avxvnni:
      return avx2 && __builtin_cpu_supports("avxvnni");
    case Isa::avx512:
      return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vnni");
  }
  __builtin_unreachable();
}

Isa best_isa() {
  CHECK(cpu_has(Isa::avx2));
  return *std::ranges::find_if(kIsas | std::views::reverse, cpu_has);
}

}  // namespace baleen

#include <cmath>
#include <cstring>

#include "kernels/same_bits.h"

namespace baleen {
namespace {

using testing::expect_bits;
using testing::Extremes;
using testing::fast_isas;
using testing::random_floats;

constexpr int64_t kWidths[] = {1, 2, 7, 8, 15, 16, 17, 31, 33, 48, 63, 64, 100, 576};

/// Runs `kernel(table, x)`, which changes x, with ref and every other ISA on every width.
template <class Kernel>
void expect_same_everywhere(const char* what, const Kernel& kernel) {
  for (const Isa isa : fast_isas())
    for (const Extremes extremes : {Extremes::none, Extremes::some})
      for (const int64_t width : kWidths) {
        std::vector<float> expected = random_floats(2 * width, static_cast<uint32_t>(width), extremes);
        std::vector<float> ours = expected;
        kernel(ref_row_kernels(), expected, width);
        kernel(kernels(isa).rows, ours, width);
        expect_bits(ours, expected,
                    std::string(what) + " " + std::string(name(isa)) + " " + std::to_string(width));
      }
}

TEST(ElementwiseRows, NormsHaveTheBitsOfRef) {
  expect_same_everywhere("rms_norm", [](const RowKernels& rows, std::vector<float>& x, int64_t width) {
    rows.rms_norm(x.data(), x.data() + width, width, 1e-5f, x.data());
  });
}

TEST(ElementwiseRows, RopeHasTheBitsOfRef) {
  const std::vector<float> cos = random_floats(1000, 1), sin = random_floats(1000, 2);
  expect_same_everywhere("rotate_neighbours",
                         [&](const RowKernels& rows, std::vector<float>& x, int64_t width) {
                           rows.rotate_neighbours(x.data(), cos.data(), sin.data(), width);
                         });
  expect_same_everywhere("rotate_halves", [&](const RowKernels& rows, std::vector<float>& x, int64_t width) {
    rows.rotate_halves(x.data(), cos.data(), sin.data(), width);
  });
}

TEST(ElementwiseRows, ActivationsHaveTheBitsOfRef) {
  expect_same_everywhere("silu_mul", [](const RowKernels& rows, std::vector<float>& x, int64_t width) {
    const int64_t half = width / 2;  // two rows, the second up to the end
    rows.silu_mul({x.data(), width - half, x.data() + width, width - half, half == 0 ? 1 : 2,
                   half == 0 ? width : half});
  });
  expect_same_everywhere("add", [](const RowKernels& rows, std::vector<float>& x, int64_t width) {
    rows.add(x.data(), width, x.data() + width);
  });
  expect_same_everywhere("scale", [](const RowKernels& rows, std::vector<float>& x, int64_t width) {
    rows.scale(x.data(), 0.3f, width, x.data() + width);
  });
}

TEST(ElementwiseRows, SiluIsRight) {
  for (const float x : {-90.0f, -20.0f, -1.0f, -0.0f, 0.0f, 0.5f, 3.0f, 40.0f, 88.5f}) {
    float gate = x;
    const float one = 1;
    ref_row_kernels().silu_mul({&gate, 1, &one, 1, 1, 1});
    const double truth = x / (1 + std::exp(-double{x}));
    EXPECT_NEAR(gate, truth, std::abs(truth) * 3e-7 + 1e-37) << x;
  }
}

TEST(ElementwiseRows, NormIsRight) {
  std::vector<float> x = {3, -4, 0, 0, 5}, weight = {1, 2, 3, 4, -1}, out(5);
  ref_row_kernels().rms_norm(x.data(), weight.data(), 5, 0, out.data());
  const float rms = std::sqrt(10.0f);
  for (size_t i = 0; i < 5; ++i) EXPECT_NEAR(out[i], x[i] / rms * weight[i], 1e-6);
}

}  // namespace
}  // namespace baleen

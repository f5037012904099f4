#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/fast_tables.h"
#include "kernels/ref/floats.h"
#include "kernels/same_bits.h"

namespace baleen {
namespace {

using testing::expect_bits;
using testing::Extremes;
using testing::fast_isas;
using testing::fast_row_tables;
using testing::random_floats;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

constexpr int64_t kMore = 5;  // floats of a slot behind its values

enum class Pages { f32, f16 };

/// A head's page of an f16 cache.
struct CodedPage {
  std::vector<int16_t> keys, values;

  explicit CodedPage(int64_t dim)
      : keys(static_cast<size_t>(f16_keys_bytes(dim) / 2), int16_t{77}),
        values(static_cast<size_t>(f16_values_bytes(dim) / 2), int16_t{77}) {}
};

/// Of keys [dim][32] and values [32][stride].
CodedPage stored(const RowKernels& kernels, const std::vector<float>& keys, const std::vector<float>& values,
                 int64_t dim, int64_t stride) {
  std::vector<float> rows(keys.size());
  for (size_t i = 0; i < rows.size(); ++i)
    rows[i % kTileKeys * static_cast<size_t>(dim) + i / kTileKeys] = keys[i];
  CodedPage page(dim);
  const auto width = static_cast<int32_t>(dim);
  kernels.store_keys_f16({rows.data(), dim, kTileKeys, 0, width}, page.keys.data());
  kernels.store_values_f16({values.data(), stride, kTileKeys, 0, width}, page.values.data());
  return page;
}

/// Query rows against several pages, as the model does it.
struct Attention {
  int64_t rows, dim;
  std::vector<float> queries, scores, max, sum, correction, out;
  std::vector<VisibleKeys> visible;

  Attention(int64_t row_count, int64_t head_dim)
      : rows(row_count),
        dim(head_dim),
        queries(random_floats(rows * dim, 3)),
        scores(static_cast<size_t>(rows * kTileKeys)),
        max(static_cast<size_t>(rows), -kInfinity),
        sum(static_cast<size_t>(rows)),
        correction(static_cast<size_t>(rows)),
        out(static_cast<size_t>(rows * dim)),
        visible(static_cast<size_t>(rows)) {}

  TileRows tile() { return {rows, visible.data(), scores.data(), max.data(), sum.data(), correction.data()}; }
  void page(const RowKernels& kernels, Pages type, const std::vector<float>& keys,
            const std::vector<float>& values) {
    if (type == Pages::f16) return page(kernels, stored(kernels, keys, values, dim, dim + kMore));
    kernels.scores_f32(queries.data(), keys.data(), dim, tile());
    kernels.softmax_tile(tile());
    kernels.weighted_sum_f32(tile(), {values.data(), dim + kMore, dim}, out.data());
  }
  void page(const RowKernels& kernels, const CodedPage& page) {
    std::vector<int16_t> codes(static_cast<size_t>(rows * i16_padded(dim)), int16_t{77});
    std::vector<float> scales(static_cast<size_t>(rows * code_blocks(dim)));
    std::vector<int32_t> taken(scales.size());
    const I16Queries coded{codes.data(), scales.data(), taken.data()};
    kernels.quantise_queries_i16(queries.data(), rows, dim, coded);
    kernels.scores_f16(coded, page.keys.data(), dim, tile());
    kernels.softmax_tile(tile());
    kernels.weighted_sum_f16(tile(), page.values.data(), dim, out.data());
  }
  void finish(const RowKernels& kernels) { kernels.divide(out.data(), sum.data(), rows, dim, out.data()); }
};

constexpr int64_t kPages = 6, kFullPage = 5;

/// Full pages, causal edges, windows, holes, and rows that see nothing of a page; one page that all rows see.
VisibleKeys visible_keys(int64_t page, int64_t row, uint32_t random) {
  if (page == kFullPage) return ~0u;
  switch ((page + row / 3) % 5) {
    case 0:
      return ~0u;
    case 1:
      return (1u << (1 + row % 31)) - 1;
    case 2:
      return ~0u << (row % 32);
    case 3:
      return random;
    default:
      return page == 0 ? 1 : 0;
  }
}

void run_pages(const RowKernels& kernels, Attention& attention, Pages type, Extremes extremes) {
  std::mt19937 random(7);
  for (int64_t page = 0; page < kPages; ++page) {
    const int64_t count = kTileKeys * attention.dim;
    const auto keys = random_floats(count, static_cast<uint32_t>(10 + page), extremes);
    const auto values = random_floats(count + kTileKeys * kMore, static_cast<uint32_t>(20 + page), extremes);
    for (int64_t r = 0; r < attention.rows; ++r)
      attention.visible[static_cast<size_t>(r)] = visible_keys(page, r, static_cast<uint32_t>(random()));
    attention.page(kernels, type, keys, values);
  }
  attention.finish(kernels);
}

TEST(AttentionRows, EveryIsaHasTheBitsOfRef) {
  for (const Pages type : {Pages::f32, Pages::f16})
    for (const Extremes extremes : {Extremes::none, Extremes::some})
      for (const int64_t rows : {1, 2, 3, 5, 6, 7, 8, 9, 13, 17, 32, 81})
        for (const int64_t dim : {8, 16, 20, 24, 33, 48, 64, 80, 128, 200}) {
          Attention expected(rows, dim);
          run_pages(ref_row_kernels(), expected, type, extremes);
          for (const KernelTable* table : fast_row_tables()) {
            Attention ours(rows, dim);
            run_pages(table->rows, ours, type, extremes);
            const std::string what = std::string(name(table->isa)) +
                                     (type == Pages::f16 ? " f16 " : " f32 ") + std::to_string(rows) +
                                     " rows of " + std::to_string(dim);
            expect_bits(ours.max, expected.max, what + ", max");
            expect_bits(ours.sum, expected.sum, what + ", sum");
            expect_bits(ours.scores, expected.scores, what + ", probabilities");
            expect_bits(ours.out, expected.out, what + ", out");
          }
        }
}

/// Any finite halves, subnormal ones and the largest among them; broken pages have infinities and NaNs in a few slots.
/// Keys and values [32][dim].
struct HalfPage {
  int64_t dim;
  std::vector<uint16_t> keys, values;

  HalfPage(int64_t head_dim, bool broken, uint32_t seed) : dim(head_dim) {
    std::mt19937 random(seed);
    for (std::vector<uint16_t>* halves : {&keys, &values}) {
      halves->resize(static_cast<size_t>(kTileKeys * dim));
      const uint32_t exponents = 1 + random() % 31;
      for (uint16_t& half : *halves)
        half = static_cast<uint16_t>((random() & 0x83FF) | random() % exponents << 10);
    }
    for (int64_t slot = 5; broken && slot < kTileKeys; slot += 13) {
      const int64_t d = random() % static_cast<uint32_t>(dim);
      keys[static_cast<size_t>(slot * dim + d)] = static_cast<uint16_t>(0x7C00 + slot % 2 * 0x155);
      values[static_cast<size_t>((slot - 1) * dim + d)] = static_cast<uint16_t>(0xFC00 + slot % 2 * 0x2AB);
    }
  }

  CodedPage stored(const RowKernels& kernels) const {
    CodedPage page(dim);
    const std::vector<float> k = floats_of(keys), v = floats_of(values);
    kernels.store_keys_f16(rows_of(k), page.keys.data());
    kernels.store_values_f16(rows_of(v), page.values.data());
    return page;
  }
  CodedPage of_latents(const RowKernels& kernels) const {
    CodedPage page(dim);
    kernels.keys_of_latents_f16(latents(kernels, keys).data(), dim, page.keys.data());
    kernels.values_of_latents_f16(latents(kernels, values).data(), dim, dim, page.values.data());
    return page;
  }

 private:
  HeadRows rows_of(const std::vector<float>& floats) const {
    return {floats.data(), dim, kTileKeys, 0, static_cast<int32_t>(dim)};
  }
  std::vector<int16_t> latents(const RowKernels& kernels, const std::vector<uint16_t>& halves) const {
    std::vector<int16_t> out(static_cast<size_t>(f16_latents_bytes(dim) / 2));
    const std::vector<float> floats = floats_of(halves);
    kernels.store_latents_f16(rows_of(floats), dim, out.data());
    return out;
  }
  static std::vector<float> floats_of(const std::vector<uint16_t>& halves) {
    std::vector<float> floats(halves.size());
    std::ranges::transform(halves, floats.begin(), ref::half_to_float);
    return floats;
  }
};

void run_half_pages(const RowKernels& kernels, Attention& attention, bool broken, bool latents) {
  std::mt19937 random(7);
  for (int64_t index = 0; index < kPages; ++index) {
    const HalfPage page(attention.dim, broken, static_cast<uint32_t>(30 + index));
    for (int64_t r = 0; r < attention.rows; ++r)
      attention.visible[static_cast<size_t>(r)] = visible_keys(index, r, static_cast<uint32_t>(random()));
    attention.page(kernels, latents ? page.of_latents(kernels) : page.stored(kernels));
  }
}

TEST(AttentionRows, HalvesOfAnySizeHaveTheBitsOfRef) {
  for (const bool broken : {false, true})
    for (const int64_t rows : {1, 2, 3, 4, 5, 7, 8, 15, 16, 31, 130})
      for (const int64_t dim : {1, 2, 8, 20, 31, 33, 64, 65, 80, 130, 576}) {
        Attention expected(rows, dim);
        for (float& q : expected.queries) q *= 0x1p-12f;
        const Attention start = expected;
        run_half_pages(ref_row_kernels(), expected, broken, false);
        for (const bool latents : {false, true})
          for (const KernelTable* table : fast_row_tables()) {
            Attention ours = start;
            run_half_pages(table->rows, ours, broken, latents);
            const std::string what = std::string(name(table->isa)) + " " + std::to_string(rows) +
                                     " rows of " + std::to_string(dim) + (latents ? ", latents" : "");
            expect_bits(ours.scores, expected.scores, what + ", probabilities");
            expect_bits(ours.out, expected.out, what + ", out");
          }
      }
}

/// Whatever lies where no row looks, NaNs of every payload too, is multiplied by 0.
TEST(AttentionRows, UnseenHalvesMayBeAnything) {
  constexpr int64_t kRows = 16, kDim = 64;
  for (uint16_t low = 0; low < 16; ++low)
    for (const VisibleKeys seen : {0x00FF00FFu, 0xF0F0F0F0u, 0xAAAA5555u}) {
      HalfPage page(kDim, false, low);
      for (int64_t slot = 0; slot < kTileKeys; ++slot)
        for (int64_t d = 0; (seen >> slot & 1) == 0 && d < kDim; d += 1 + low % 3) {  // numbers between them
          const auto nan = static_cast<uint16_t>((d % 2 == 0 ? 0x7E00 : 0xFE00) | low);
          page.keys[static_cast<size_t>(slot * kDim + d)] = nan;
          page.values[static_cast<size_t>(slot * kDim + d)] = nan;
        }
      Attention expected(kRows, kDim);
      std::ranges::fill(expected.queries, 0.0f);  // all keys weigh the same, the most
      std::ranges::fill(expected.visible, seen);
      const Attention start = expected;
      expected.page(ref_row_kernels(), page.stored(ref_row_kernels()));
      EXPECT_TRUE(std::ranges::none_of(expected.out, [](float out) { return std::isnan(out); }));
      for (const KernelTable* table : fast_row_tables())
        for (const bool latents : {false, true}) {
          Attention ours = start;
          ours.page(table->rows, latents ? page.of_latents(table->rows) : page.stored(table->rows));
          expect_bits(ours.out, expected.out, std::string(name(table->isa)) + " " + std::to_string(low));
        }
    }
}

/// A row's bits do not depend on which rows are beside it.
TEST(AttentionRows, HalvesAloneAreAsAmongOthers) {
  constexpr int64_t kRows = 21, kDim = 72;
  const HalfPage halves(kDim, false, 3);
  for (const Isa isa : kIsas) {
    if (!cpu_has(isa)) continue;
    const CodedPage page = halves.stored(kernels(isa).rows);
    Attention together(kRows, kDim);
    std::fill(together.visible.begin(), together.visible.end(), 0x7FFFu);
    together.page(kernels(isa).rows, page);
    for (int64_t r = 0; r < kRows; ++r) {
      Attention alone(1, kDim);
      alone.visible[0] = 0x7FFFu;
      std::copy_n(together.queries.begin() + r * kDim, kDim, alone.queries.begin());
      alone.page(kernels(isa).rows, page);
      expect_bits(alone.out, {together.out.begin() + r * kDim, together.out.begin() + (r + 1) * kDim},
                  std::string(name(isa)) + " row " + std::to_string(r));
    }
  }
}

/// A page of i8 values of which the slots that no row sees hold anything.
std::vector<int8_t> i8_page(int64_t dim, VisibleKeys written, Extremes extremes) {
  const auto values = random_floats(kTileKeys * dim, 20, extremes);
  std::vector<int8_t> page(static_cast<size_t>(i8_values_bytes(dim)), int8_t{-1});  // codes -1, scales NaN
  for (int32_t slot = 0; slot < kTileKeys; ++slot)
    if ((written >> slot & 1) != 0)
      ref_row_kernels().store_values_i8({values.data() + slot * dim, dim, 1, slot, static_cast<int32_t>(dim)},
                                        page.data());
  return page;
}

I8Values view(const std::vector<int8_t>& page, int64_t stride, int64_t dim) {
  return {page.data(), reinterpret_cast<const float*>(page.data() + kTileKeys * stride), stride, dim};
}

/// Probabilities and corrections as a softmax leaves them.
void set_probabilities(Attention& attention, VisibleKeys written) {
  const int64_t page = written == ~VisibleKeys{0} ? kFullPage : 1;
  for (size_t r = 0; r < attention.visible.size(); ++r)
    attention.visible[r] = visible_keys(page, static_cast<int64_t>(r), 0x5A5A1234) & written;
  attention.scores = random_floats(attention.rows * kTileKeys, 8);
  attention.correction = random_floats(attention.rows, 9);
  for (size_t r = 0; r < attention.correction.size(); r += 3) attention.correction[r] = 1;
  attention.out = random_floats(attention.rows * attention.dim, 10);
  for (float& p : attention.scores) p = std::exp(4 * p);
}

TEST(AttentionRows, I8ValuesHaveTheBitsOfRef) {
  for (const Isa isa : fast_isas())
    for (const auto& [written, extremes] :
         {std::pair{0x7FFFFFF1u, Extremes::none}, std::pair{0x7FFFFFF1u, Extremes::some},
          std::pair{~0u, Extremes::none}, std::pair{~0u, Extremes::some}})
      for (const int64_t rows : {1, 2, 3, 4, 5, 8, 9, 15, 16, 17, 40})
        for (const int64_t dim : {4, 8, 16, 20, 32, 33, 48, 56, 64, 80, 128, 160, 200}) {
          const int64_t stride = dim + rows % 3 * 32;
          const auto page = i8_page(stride, written, extremes);
          Attention expected(rows, dim), ours(rows, dim);
          for (Attention* attention : {&expected, &ours}) set_probabilities(*attention, written);
          for (Attention* attention : {&expected, &ours})
            (attention == &ours ? kernels(isa).rows : ref_row_kernels())
                .weighted_sum_i8({rows, attention->visible.data(), attention->scores.data(), nullptr, nullptr,
                                  attention->correction.data()},
                                 view(page, stride, dim), attention->out.data());
          expect_bits(
              ours.out, expected.out,
              std::string(name(isa)) + " " + std::to_string(rows) + " rows of " + std::to_string(dim));
        }
}

TEST(AttentionRows, I8ValuesAreWeighted) {
  constexpr int64_t kRows = 3, kDim = 40;
  constexpr VisibleKeys kWritten = 0x00FFFFFF;
  const auto page = i8_page(kDim, kWritten, Extremes::none);
  const auto values = random_floats(kTileKeys * kDim, 20);
  Attention attention(kRows, kDim);
  set_probabilities(attention, kWritten);
  const std::vector<float> before = attention.out;
  ref_row_kernels().weighted_sum_i8({kRows, attention.visible.data(), attention.scores.data(), nullptr,
                                     nullptr, attention.correction.data()},
                                    view(page, kDim, kDim), attention.out.data());
  for (int64_t i = 0; i < kRows * kDim; ++i) {
    const auto r = static_cast<size_t>(i / kDim);
    double sum = double{before[static_cast<size_t>(i)]} * attention.correction[r], largest = 0;
    for (int64_t key = 0; key < kTileKeys; ++key) {
      if ((attention.visible[r] >> key & 1) == 0) continue;
      const double weight = attention.scores[r * kTileKeys + static_cast<size_t>(key)];
      sum += weight * values[static_cast<size_t>(key * kDim + i % kDim)];
      largest = std::max(largest, weight);
    }
    EXPECT_NEAR(attention.out[static_cast<size_t>(i)], sum, 0.05 * largest);
  }
}

/// 14-bit codes and halves err about as much: some 2^-12 of a block's largest number.
class IsSoftmaxAttention : public ::testing::TestWithParam<std::pair<Pages, double>> {};
INSTANTIATE_TEST_SUITE_P(AttentionRows, IsSoftmaxAttention,
                         ::testing::Values(std::pair{Pages::f32, 1e-4}, std::pair{Pages::f16, 2e-2}));

TEST_P(IsSoftmaxAttention, InDouble) {
  const auto [type, error] = GetParam();
  constexpr int64_t kRows = 4, kDim = 24;
  Attention attention(kRows, kDim);
  const auto keys = random_floats(kTileKeys * kDim, 1), values = random_floats(kTileKeys * (kDim + kMore), 2);
  for (int64_t r = 0; r < kRows; ++r) attention.visible[static_cast<size_t>(r)] = 0xFFu << r;
  attention.page(ref_row_kernels(), type, keys, values);
  attention.finish(ref_row_kernels());
  for (int64_t r = 0; r < kRows; ++r) {
    std::vector<double> out(kDim);
    double total = 0;
    for (int64_t key = r; key < r + 8; ++key) {
      double score = 0;
      for (int64_t d = 0; d < kDim; ++d)
        score += double{attention.queries[static_cast<size_t>(r * kDim + d)]} *
                 keys[static_cast<size_t>(d * kTileKeys + key)];
      const double weight = std::exp(score);
      total += weight;
      for (int64_t d = 0; d < kDim; ++d)
        out[static_cast<size_t>(d)] += weight * values[static_cast<size_t>(key * (kDim + kMore) + d)];
    }
    for (int64_t d = 0; d < kDim; ++d)
      EXPECT_NEAR(attention.out[static_cast<size_t>(r * kDim + d)], out[static_cast<size_t>(d)] / total,
                  error);
  }
}

}  // namespace
}  // namespace baleen

// Products of rows of activations with packed weights: out[r, n] = sum_k x[r, k] * w[n, k].
#pragma once

#include <cstdint>
#include <span>

#include "kernels/compute.h"
#include "kernels/packed_matrix.h"
#include "kernels/workspace.h"

namespace baleen {

/// Rows of floats in memory: row r starts at data + r * stride.
struct Rows {
  float* data = nullptr;
  int64_t count = 0, width = 0, stride = 0;
  float* row(int64_t r) const { return data + r * stride; }
};

enum class Store { set, add };  ///< out = product, or out += product

/// A matrix, and what is added behind each product with it: [its rows], or null.
struct Factor {
  const PackedMatrix* weights = nullptr;
  const float* bias = nullptr;
};

struct Product {
  Factor factor;
  Rows out;
  Store store = Store::set;
  /// Where it is there, as large as the first one: out = silu(x * factor) . (x * up), SwiGLU (arXiv 2002.05202). A
  /// thread has a panel of both, so the numbers between them never leave its cache.
  Factor up{};
};

/// A root mean square norm of rows (RowKernels::rms_norm); without a weight none.
struct RowNorm {
  std::span<const float> weight{};  ///< [width of the rows]
  float eps = 0;
};

/// Products of one input. x is normed, where a norm is given, and quantised once per scheme that its weights need.
struct ProductGroup {
  Rows x;
  std::span<const Product> products;
  const int32_t* picked =
      nullptr;  ///< [x.count]: the rows of x that take part, in this order; null: the first ones
  RowNorm norm{};
};

/// The products of several inputs (the experts of a layer, the heads of a projection). The panels of all of them are
/// shared among the threads. Same bits for any number of rows or threads and any grouping.
void multiply(const Compute& compute, std::span<const ProductGroup> groups, Workspace& scratch);
/// Of one input: q, k, v; gate, up.
void multiply(const Compute& compute, Rows x, std::span<const Product> products, Workspace& scratch,
              RowNorm norm = {});

/// What bounds the scratch of a multiply().
struct MultiplySize {
  int64_t rows = 0, cols = 0;  ///< rows of all inputs together, the widest of them
  int64_t groups = 1, products = 8;
};
/// Bytes of scratch that multiply() takes at most.
size_t multiply_scratch_bytes(const Compute& compute, const MultiplySize& size);

}  // namespace baleen

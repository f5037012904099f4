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

struct Product {
  const PackedMatrix* weights;
  Rows out;
  Store store = Store::set;
};

/// All products of one input (q, k, v; gate, up), at most 8: x is quantised once per scheme that the weights
/// need, and the panels of all of them are shared among the threads. Same bits for any number of rows or
/// threads and any grouping.
void multiply(const Compute& compute, Rows x, std::span<const Product> products, Workspace& scratch);

/// Bytes of scratch that multiply() takes for x of [rows, cols].
size_t multiply_scratch_bytes(const Compute& compute, int64_t rows, int64_t cols);

}  // namespace baleen

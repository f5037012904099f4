// Root mean square norm (arXiv 1910.07467).
#pragma once

#include <vector>

#include "models/pass.h"

namespace baleen {

/// x / sqrt(mean(x^2) + eps) * weight, for a product to do on its way (ProductGroup).
inline RowNorm row_norm(const std::vector<float>& weight, float eps) { return {weight, eps}; }
/// The same at once, for several products: [rows, width].
Rows rms_norm(const Pass& pass, Rows x, RowNorm norm);
/// The same over the first weight.size() columns of x, in place.
void rms_norm_front(const Pass& pass, Rows x, const std::vector<float>& weight, float eps);
/// The same over each head of x [rows, heads * head_dim], in place; weight [head_dim].
void rms_norm_heads(const Pass& pass, Rows x, const std::vector<float>& weight, float eps);

/// Layer norm (arXiv 1607.06450) in place: (x - mean) / sqrt(variance + eps) * weight + bias.
void layer_norm(const Pass& pass, Rows x, const std::vector<float>& weight, const std::vector<float>& bias);

}  // namespace baleen

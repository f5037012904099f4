// Hyper-parameters out of GGUF metadata. Absent keys mean what GGUF's specification and llama.cpp's files
// say.
#pragma once

#include "formats/architecture.h"
#include "formats/gguf_fields.h"
#include "formats/hyper_parameters.h"

namespace baleen {

/// Everything but vocab_rows and experts.selection_bias, which the tensors say. Each value is range-checked, and those
/// that depend on each other against each other.
Result<HyperParameters> read_gguf_params(GgufFields& fields, const Architecture& architecture);

}  // namespace baleen

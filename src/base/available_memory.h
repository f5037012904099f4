// How much memory this process may still take.
#pragma once

#include <cstddef>
#include <optional>

namespace baleen {

/// The kernel's estimate of memory that can be had without swapping, and what the control group leaves,
/// whichever is less. Nothing where neither can be read.
std::optional<size_t> available_memory();

}  // namespace baleen

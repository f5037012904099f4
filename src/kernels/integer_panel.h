// Panels of the types with integer kernels: rows of the file's blocks to records (panel_layout.h) and back.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/block_type.h"
#include "kernels/block/integers.h"
#include "kernels/panel.h"

namespace baleen {

/// Writes what belongs to the rows that exist, and nothing else. CHECKs that the type has integer kernels.
void write_integer_panel(const PanelSource& source, std::byte* panel);
/// Row r of a record of such a panel, number by number.
void read_integer_row(BlockType type, const std::byte* record, int r, BlockIntegers& block);

}  // namespace baleen

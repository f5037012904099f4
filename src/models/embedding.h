// Tokens in, logits out: the two ends of every model.
#pragma once

#include <initializer_list>

#include "models/linear.h"
#include "models/pass.h"

namespace baleen {

/// The rows of `table` [vocab_rows, dim] that the step's tokens name: [rows, dim].
Rows embed(const Pass& pass, const Linear& table);
/// Leaves of each [rows, width] the rows whose logits are wanted, moved to its front: [wanted, width].
void keep_wanted(const Pass& pass, std::initializer_list<Rows*> all);

/// Both ends' part of a model's cost; `output` may be the table itself.
void add_ends(const Linear& table, const Linear& output, ModelCost& cost);

}  // namespace baleen

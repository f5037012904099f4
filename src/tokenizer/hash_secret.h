// What keeps the author of a vocabulary from choosing texts that fall on one place of a hash table.
#pragma once

#include <cstdint>

namespace baleen {

/// An odd number that nobody can guess, a new one each time. Multiply-shift hashing with it (the product's upper bits)
/// spreads any fixed set of keys (Dietzfelbinger and others, 1997). Nothing but the order of probing depends on it.
uint64_t hash_secret();

}  // namespace baleen

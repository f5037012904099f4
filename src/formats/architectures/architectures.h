// The tables of architectures/, one file each.
#pragma once

#include "formats/architecture.h"

namespace baleen {

extern const Architecture kLlama;
extern const Architecture kQwen2;
extern const Architecture kQwen3;
extern const Architecture kSmolLm3;

}  // namespace baleen

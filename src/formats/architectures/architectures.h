// The tables of architectures/, one file each.
#pragma once

#include "formats/architecture.h"

namespace baleen {

extern const Architecture kDeepseek2;
extern const Architecture kDeepseek32;
extern const Architecture kLlama;
extern const Architecture kQwen2;
extern const Architecture kQwen3;
extern const Architecture kQwen3Moe;
extern const Architecture kSmolLm3;

}  // namespace baleen

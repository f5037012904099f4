// The codebooks of ggml's IQ types: vectors of 8 (or, for IQ3, 4) values. Each entry holds the indexes of its
// values, 2 bits each (IQ3: 3 bits), first value lowest; the value lists are in unpack_iq.cc.
#pragma once

#include <cstdint>

namespace baleen {

extern const uint16_t kIq2XxsGrid[256];
extern const uint16_t kIq2XsGrid[512];
extern const uint16_t kIq2SGrid[1024];
extern const uint16_t kIq3XxsGrid[256];
extern const uint16_t kIq3SGrid[512];
extern const uint16_t kIq1Grid[2048];

}  // namespace baleen

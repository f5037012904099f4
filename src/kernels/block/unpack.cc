#include "kernels/block/unpack.h"

#include "base/check.h"
#include "kernels/block/block_bytes.h"
#include "kernels/block/integers.h"
#include "kernels/block/unpack_iq.h"
#include "kernels/block/unpack_small.h"

namespace baleen {
namespace {

void unpack_f32(const std::byte* block, float* out) { *out = field<float>(block, 0); }
void unpack_f16(const std::byte* block, float* out) { *out = half_at(block, 0); }
void unpack_bf16(const std::byte* block, float* out) {
  *out = std::bit_cast<float>(uint32_t{field<uint16_t>(block, 0)} << 16);
}

template <BlockType type>
void unpack_integers(const std::byte* block, float* out) {
  BlockIntegers integers;
  read_integers(type, block, integers);
  to_floats(type, integers, out);
}

using Unpack = void (*)(const std::byte* block, float* out);

Unpack unpacker(BlockType type) {
  switch (type) {
    case BlockType::f32:
      return unpack_f32;
    case BlockType::f16:
      return unpack_f16;
    case BlockType::bf16:
      return unpack_bf16;
    case BlockType::q4_0:
      return unpack_integers<BlockType::q4_0>;
    case BlockType::q4_1:
      return unpack_integers<BlockType::q4_1>;
    case BlockType::q5_0:
      return unpack_integers<BlockType::q5_0>;
    case BlockType::q5_1:
      return unpack_integers<BlockType::q5_1>;
    case BlockType::q8_0:
      return unpack_integers<BlockType::q8_0>;
    case BlockType::q4_k:
      return unpack_integers<BlockType::q4_k>;
    case BlockType::q5_k:
      return unpack_integers<BlockType::q5_k>;
    case BlockType::q6_k:
      return unpack_integers<BlockType::q6_k>;
    case BlockType::q2_k:
      return unpack_q2_k;
    case BlockType::q3_k:
      return unpack_q3_k;
    case BlockType::iq2_xxs:
      return unpack_iq2_xxs;
    case BlockType::iq2_xs:
      return unpack_iq2_xs;
    case BlockType::iq2_s:
      return unpack_iq2_s;
    case BlockType::iq3_xxs:
      return unpack_iq3_xxs;
    case BlockType::iq3_s:
      return unpack_iq3_s;
    case BlockType::iq1_s:
      return unpack_iq1_s;
    case BlockType::iq1_m:
      return unpack_iq1_m;
    case BlockType::iq4_nl:
      return unpack_iq4_nl;
    case BlockType::iq4_xs:
      return unpack_iq4_xs;
    case BlockType::mxfp4:
      return unpack_mxfp4;
    case BlockType::nvfp4:
      return unpack_nvfp4;
    case BlockType::tq1_0:
      return unpack_tq1_0;
    case BlockType::tq2_0:
      return unpack_tq2_0;
    default:
      return nullptr;
  }
}

}  // namespace

bool can_unpack(BlockType type) { return unpacker(type) != nullptr; }

void unpack(BlockType type, const std::byte* blocks, int64_t count, float* out) {
  const Unpack unpack_block = unpacker(type);
  CHECK(unpack_block != nullptr);
  const BlockTypeInfo& block = info(type);
  CHECK(count % block.values == 0);
  for (int64_t done = 0; done < count; done += block.values, blocks += block.bytes)
    unpack_block(blocks, out + done);
}

}  // namespace baleen

// What hyper-parameters may be. Far above every published model, and small enough that products of two fit
// int64.
#pragma once

#include <cstdint>

#include "formats/fields.h"

namespace baleen {

inline constexpr Range<int32_t> kLayerRange{1, 4096};
inline constexpr Range<int32_t> kDimRange{1, 1 << 24};
inline constexpr Range<int32_t> kHeadRange{1, 65'536};
inline constexpr Range<int32_t> kHeadDimRange{2, 65'536};
inline constexpr Range<int32_t> kContextRange{1, 1 << 30};
inline constexpr Range<int32_t> kVocabularyRange{1, 1 << 20};  // contract.md: 1 M
inline constexpr int32_t kMaxExperts = 65'536;
inline constexpr Range<int32_t> kRankRange{1, 65'536};
inline constexpr Range<int32_t> kPredictionRange{0, 64};       // published: 0 to 3
inline constexpr Range<float> kExpertScaleRange{1e-6F, 1e6F};  // the largest published is 16
inline constexpr Range<int32_t> kWeightBlockRange{1, 65'536};  // published: 128
inline constexpr Range<float> kEpsRange{1e-30F, 0.1F};         // the smallest published is 1e-20
inline constexpr Range<float> kThetaRange{1.0F, 1e15F};
inline constexpr Range<float> kFactorRange{1e-6F, 1e6F};
inline constexpr Range<float> kMscaleRange{0.0F, 100.0F};

}  // namespace baleen

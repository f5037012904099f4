// The fields that chat and text completions have in common.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include "engine/generation_request.h"
#include "server/openai/fields.h"

namespace baleen::openai {

struct GenerationOptions {
  GenerationRequest generation;  ///< all but the prompt
  std::string model;
  bool stream = false;
  bool include_usage = false;
  bool seeded = false;  ///< the client chose the seed
};

/// Reads one member of the request; false for a field that is not one of the common ones.
Field<bool> read_common_field(std::string_view name, const json::Value& value, GenerationOptions& options);

/// A field that one endpoint alone has, to be read once all have been seen.
template <class Members>
struct MemberName {
  std::string_view name;
  json::Value Members::* member;
};

/// Stores the members that `names` lists, reads the common ones, passes over the others.
template <class Members, size_t count>
Checked read_members(const json::Value& root, const MemberName<Members> (&names)[count], Members& members,
                     GenerationOptions& options) {
  for (const auto& [name, value] : root) {
    const auto known = std::ranges::find(names, name, &MemberName<Members>::name);
    if (known != std::end(names))
      members.*known->member = value;
    else if (auto common = read_common_field(name, value, options); !common)
      return std::unexpected(std::move(common.error()));
  }
  return {};
}

/// max_tokens and its newer name; `least` is 0 where a request may only want its prompt scored.
Checked read_max_tokens(std::string_view name, const json::Value& value, int64_t least,
                        GenerationOptions& options);

/// What can only be checked once the model is known: ids of logit_bias below `vocabulary`. Draws a seed if none came.
Checked complete(GenerationOptions& options, int32_t vocabulary);

}  // namespace baleen::openai

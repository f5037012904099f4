#include "server/openai/generation_options.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/check.h"

namespace baleen::openai {
namespace {

// contract.md, HTTP.
constexpr int64_t kMaxChoices = 16;
constexpr size_t kMaxStops = 16, kMaxStopBytes = 256, kMaxBiases = 1024;
constexpr int64_t kMaxTopK = std::numeric_limits<int32_t>::max();

using Name = std::string_view;
using Value = const json::Value&;
using Options = GenerationOptions&;
using Read = Checked (*)(Name, Value, Options);

Checked read_stop(Name name, Value value, Options options) {
  auto& stops = options.generation.stop;
  const auto add = [&](const json::Value& element) -> Checked {
    const auto stop = text(name, element);
    if (!stop) return std::unexpected(stop.error());
    if (stop->empty() || stop->size() > kMaxStopBytes)
      return std::unexpected(
          invalid(name, fmt::format("each string must have 1 to {} bytes", kMaxStopBytes)));
    stops.emplace_back(*stop);
    return {};
  };
  if (value.kind() == json::Kind::string) return add(value);
  if (auto ok = array(name, value, kMaxStops); !ok) return ok;
  for (const auto& [key, element] : value)
    if (auto ok = add(element); !ok) return ok;
  return {};
}

Checked read_logit_bias(Name name, Value value, Options options) {
  if (auto ok = object(name, value); !ok) return ok;
  if (value.size() > kMaxBiases)
    return std::unexpected(invalid(name, fmt::format("must have at most {} entries", kMaxBiases)));
  for (const auto& [key, element] : value) {
    int32_t id = -1;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (error != std::errc() || end != key.data() + key.size() || id < 0)
      return std::unexpected(invalid(name, "each key must be a token id"));
    const auto bias = number(name, element, -100, 100);
    if (!bias) return std::unexpected(bias.error());
    options.generation.sampling.logit_bias.emplace_back(id, static_cast<float>(*bias));
  }
  return {};
}

Checked read_stream_options(Name name, Value value, Options options) {
  if (auto ok = object(name, value); !ok) return ok;
  const auto usage = value.find("include_usage");
  if (!usage || usage->is_null()) return {};
  return store(boolean("stream_options.include_usage", *usage), options.include_usage);
}

Checked read_seed(Name name, Value value, Options options) {
  const auto seed =
      integer(name, value, std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max());
  if (!seed) return std::unexpected(seed.error());
  options.generation.sampling.seed = static_cast<uint64_t>(*seed);
  options.seeded = true;
  return {};
}

Checked read_model(Name name, Value value, Options options) {
  const auto model = text(name, value);
  if (!model) return std::unexpected(model.error());
  options.model = *model;
  return {};
}

struct Rule {
  Name name;
  Read read;
};

constexpr Rule kRules[] = {
    {"model", read_model},
    {"stream", [](Name n, Value v, Options o) { return store(boolean(n, v), o.stream); }},
    {"stream_options", read_stream_options},
    {"temperature",
     [](Name n, Value v, Options o) { return store(number(n, v, 0, 2), o.generation.sampling.temperature); }},
    {"top_p",
     [](Name n, Value v, Options o) { return store(number(n, v, 0, 1), o.generation.sampling.top_p); }},
    {"min_p",
     [](Name n, Value v, Options o) { return store(number(n, v, 0, 1), o.generation.sampling.min_p); }},
    {"top_k",
     [](Name n, Value v, Options o) {
       auto k = integer(n, v, -1, kMaxTopK);  // -1 as in vLLM: all
       if (k && *k == -1) k = 0;
       return store(k, o.generation.sampling.top_k);
     }},
    {"repetition_penalty",
     [](Name n, Value v, Options o) {
       return store(number(n, v, 0.01, 10), o.generation.sampling.repetition_penalty);
     }},
    {"presence_penalty",
     [](Name n, Value v, Options o) {
       return store(number(n, v, -2, 2), o.generation.sampling.presence_penalty);
     }},
    {"frequency_penalty",
     [](Name n, Value v, Options o) {
       return store(number(n, v, -2, 2), o.generation.sampling.frequency_penalty);
     }},
    {"logit_bias", read_logit_bias},
    {"seed", read_seed},
    {"stop", read_stop},
    {"n",
     [](Name n, Value v, Options o) { return store(integer(n, v, 1, kMaxChoices), o.generation.choices); }},
    {"ignore_eos", [](Name n, Value v, Options o) { return store(boolean(n, v), o.generation.ignore_eos); }},
};

}  // namespace

Field<bool> read_common_field(std::string_view name, const json::Value& value, GenerationOptions& options) {
  const auto rule = std::ranges::find(kRules, name, &Rule::name);
  if (rule == std::end(kRules)) return false;
  if (value.is_null()) return true;
  if (auto ok = rule->read(name, value, options); !ok) return std::unexpected(std::move(ok.error()));
  return true;
}

// How many fit is the engine's to know, so any larger number means "as many as fit".
Checked read_max_tokens(std::string_view name, const json::Value& value, int64_t least,
                        GenerationOptions& options) {
  const auto tokens = integer(name, value, least, std::numeric_limits<int64_t>::max());
  if (!tokens) return std::unexpected(tokens.error());
  options.generation.max_tokens =
      static_cast<int32_t>(std::min<int64_t>(*tokens, std::numeric_limits<int32_t>::max()));
  return {};
}

Checked complete(GenerationOptions& options, int32_t vocabulary) {
  for (const auto& [id, bias] : options.generation.sampling.logit_bias)
    if (id >= vocabulary)
      return std::unexpected(invalid("logit_bias", "a token id is outside the vocabulary"));
  uint64_t& seed = options.generation.sampling.seed;
  if (!options.seeded) CHECK(getrandom(&seed, sizeof seed, 0) == sizeof seed);
  return {};
}

}  // namespace baleen::openai

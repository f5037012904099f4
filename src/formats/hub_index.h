// model.safetensors.index.json: which shard holds which tensor.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "formats/safetensors.h"

namespace baleen {

class HubIndex {
 public:
  /// bad_input for a file name that leaves the folder.
  static Result<HubIndex> parse(std::string_view text);

  const std::set<std::string>& files() const { return files_; }
  /// That a shard holds exactly what the index says of it.
  Result<void> check(const std::string& file, const std::vector<SafetensorsEntry>& entries) const;

 private:
  std::set<std::string> files_;
  std::vector<std::pair<std::string, std::string>> tensors_;  // (file, tensor), sorted
};

}  // namespace baleen

#include "formats/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include "formats/checkpoint_parts.h"
#include "formats/error_text.h"
#include "formats/tensor_check.h"
#include "formats/tensor_name.h"

namespace baleen {
namespace {

// Of each tensor, at its start, middle and end: fine-tuned copies of a model differ nearly everywhere.
constexpr size_t kSampleBytes = 256;
// Of more tensors than that (experts apart) every second one, third one …: each costs reads all over the files.
constexpr size_t kSampledTensors = 4096;

/// FNV-1a over 64-bit words (the last one filled with zeros), folded: multiplication alone leaves the low
/// bits weak.
uint64_t hash(uint64_t state, std::span<const std::byte> bytes) {
  constexpr uint64_t kPrime = 0x00000100000001B3;
  while (!bytes.empty()) {
    uint64_t word = 0;
    const size_t size = std::min(bytes.size(), sizeof(word));
    std::memcpy(&word, bytes.data(), size);
    state = (state ^ word) * kPrime;
    state ^= state >> 29;
    bytes = bytes.subspan(size);
  }
  return state;
}

uint64_t fingerprint_of(const CheckpointParts& parts) {
  uint64_t state = 0xCBF29CE484222325;  // FNV's offset basis
  for (size_t i = 0; i < parts.files.size(); ++i)
    state = hash(state, parts.files[i].bytes().first(parts.header_bytes[i]));
  const size_t stride = parts.tensors.size() / kSampledTensors + 1;
  for (size_t i = 0; i < parts.tensors.size(); i += stride) {
    const Tensor& tensor = parts.tensors[i];
    const size_t size = std::min(tensor.bytes.size(), kSampleBytes);
    const size_t last = tensor.bytes.size() - size;
    for (const size_t begin : {size_t{0}, last / 2, last})
      state = hash(state, tensor.bytes.subspan(begin, size));
    state = hash(state, tensor.scales.bytes.first(std::min(tensor.scales.bytes.size(), kSampleBytes)));
  }
  return state;
}

Result<CheckpointParts> read(const std::filesystem::path& path, Wanted wanted) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored) ? read_hub_folder(path, wanted)
                                                      : read_gguf(path, wanted);
}

}  // namespace

Result<Checkpoint> Checkpoint::open(const std::filesystem::path& path) {
  auto parts = read(path, Wanted::everything);
  if (!parts) return error_of(parts);
  return Checkpoint(std::move(*parts));
}

Result<Checkpoint> Checkpoint::open_vocabulary(const std::filesystem::path& path) {
  auto parts = read(path, Wanted::vocabulary);
  if (!parts) return error_of(parts);
  return Checkpoint(std::move(*parts));
}

Checkpoint::Checkpoint(CheckpointParts parts) : fingerprint_(fingerprint_of(parts)) {
  params_ = std::move(parts.params);
  vocabulary_ = std::move(parts.vocabulary);
  chat_template_ = std::move(parts.chat_template);
  name_ = std::move(parts.name);
  tensors_ = std::move(parts.tensors);
  const auto unused = std::ranges::partition(tensors_, [&](const Tensor& tensor) {
    const auto layer = split_number(tensor.name, kLayerPrefix);
    return !layer || layer->number < params_.layers;
  });
  std::ranges::move(unused, std::back_inserter(prediction_tensors_));
  tensors_.erase(unused.begin(), unused.end());
  std::ranges::sort(tensors_, {}, &Tensor::name);
  std::ranges::sort(prediction_tensors_, {}, &Tensor::name);
  path_ = std::move(parts.path);
  is_folder_ = parts.is_folder;
  field_offsets_ = std::move(parts.field_offsets);
  for (const MappedFile& file : parts.files) file_bytes_ += file.bytes().size();
  files_ = std::make_shared<const std::vector<MappedFile>>(std::move(parts.files));
}

const Tensor* Checkpoint::find(std::string_view name) const { return find_tensor(tensors_, name); }

std::optional<Tensor> Checkpoint::expert_tensor(int32_t layer, std::string_view stack, int32_t expert) const {
  const std::string name = fmt::format("{}{}.{}", kLayerPrefix, layer, stack);
  if (const Tensor* own = find(expert_name(name, expert))) return *own;
  const Tensor* all = find(name);
  if (all == nullptr || expert < 0 || expert >= all->depth) return std::nullopt;
  Tensor one = *all;
  const size_t bytes = all->bytes.size() / static_cast<size_t>(all->depth);
  one.name = expert_name(name, expert);
  one.dimensions = 2;
  one.depth = 1;
  one.bytes = all->bytes.subspan(static_cast<size_t>(expert) * bytes, bytes);
  one.file_offset += static_cast<size_t>(expert) * bytes;
  return one;
}

Error Checkpoint::locate(Error error) const {
  const size_t end = error.message.find_first_of(":[ ");
  const auto field = field_offsets_.find(std::string_view(error.message).substr(0, end));
  if (field != field_offsets_.end()) error.message.insert(end, " at byte " + std::to_string(field->second));
  return in_file(path_, std::move(error)).error();
}

void Checkpoint::release(const Tensor& tensor) const {
  for (const MappedFile& file : *files_) {
    const std::byte* begin = file.bytes().data();
    if (tensor.bytes.data() >= begin && tensor.bytes.data() < begin + file.bytes().size())
      file.release(tensor.bytes);
  }
}

}  // namespace baleen

// baleen perplexity: how well a model predicts a text.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/mapped_file.h"
#include "base/math.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/model_options.h"
#include "cli/report.h"
#include "models/evaluator.h"
#include "tokenizer/tokenizer.h"

namespace baleen {
namespace {

struct PerplexityOptions {
  ComputeOptions compute;
  std::string model, file, nll_file;
  int32_t window = 512;
};

constexpr float kNotScored = -1;

/// -ln p(target) under softmax(logits), summed in double.
float nll(std::span<const float> logits, int32_t target) {
  const double max = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += portable_exp(logit - max);
  return static_cast<float>(portable_log(sum) + max - logits[static_cast<size_t>(target)]);
}

Result<std::vector<int32_t>> tokenize(const Checkpoint& checkpoint, std::span<const std::byte> text) {
  auto tokenizer = Tokenizer::make(checkpoint.vocabulary());
  if (!tokenizer) return std::unexpected(checkpoint.locate(tokenizer.error()));
  std::vector<int32_t> ids;
  tokenizer->encode_text({reinterpret_cast<const char*>(text.data()), text.size()}, ids);
  return ids;
}

/// Every token but a window's first: -ln p given the window so far. `threads` share the rows of a chunk.
void score_window(Evaluator& evaluator, ThreadPool& threads, std::span<const int32_t> ids,
                  std::span<float> scores) {
  const auto vocab_rows = static_cast<size_t>(evaluator.vocab_rows());
  evaluator.restart();
  evaluator.evaluate(ids, [&](size_t first, std::span<const float> logits) {
    const size_t rows = std::min(logits.size() / vocab_rows, ids.size() - 1 - first);
    threads.parallel_for(static_cast<int64_t>(rows), [&](int64_t index, int) {
      const auto row = static_cast<size_t>(index);
      scores[first + row + 1] = nll(logits.subspan(row * vocab_rows, vocab_rows), ids[first + row + 1]);
    });
  });
}

Result<void> write_scores(const std::string& path, std::span<const float> scores) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) return failed(path + ": cannot be written: " + std::strerror(errno));
  const bool written = std::fwrite(scores.data(), sizeof(float), scores.size(), file) == scores.size();
  if (std::fclose(file) != 0 || !written)
    return failed(path + ": cannot be written: " + std::strerror(errno));
  return {};
}

void print_summary(std::span<const float> scores) {
  double sum = 0;
  int64_t scored = 0;
  for (const float score : scores) {
    if (score == kNotScored) continue;
    sum += score;
    ++scored;
  }
  const double mean = scored == 0 ? 0 : sum / static_cast<double>(scored);
  json::Writer writer;
  writer.begin_object()
      .member("tokens", scored)
      .member("nll", mean)
      .member("ppl", portable_exp(mean))
      .end_object();
  std::printf("%s\n", writer.text().c_str());
}

Result<void> measure(const PerplexityOptions& options) {
  auto machine = Machine::make(options.compute);
  if (!machine) return error_of(machine);
  auto text = MappedFile::open(options.file);
  if (!text) return error_of(text);
  auto opened = open_model(options.model, *machine);
  if (!opened) return error_of(opened);
  auto ids = tokenize(opened->checkpoint, text->bytes());
  if (!ids) return error_of(ids);
  auto evaluator = Evaluator::make(*opened->model, machine->kv_type(), options.window);
  if (!evaluator) return error_of(evaluator);
  std::vector<float> scores(ids->size(), kNotScored);
  const auto window = static_cast<size_t>(options.window);
  for (size_t start = 0; start < ids->size(); start += window) {
    const size_t count = std::min(window, ids->size() - start);
    score_window(*evaluator, *machine->compute().pool, std::span(*ids).subspan(start, count),
                 std::span(scores).subspan(start, count));
  }
  if (!options.nll_file.empty())
    if (auto written = write_scores(options.nll_file, scores); !written) return error_of(written);
  print_summary(scores);
  return {};
}

}  // namespace

void add_perplexity(CommandLine& program) {
  auto options = std::make_shared<PerplexityOptions>();
  Command command = program.add_command("perplexity", "Measure how well a model predicts a text");
  command.add_option("MODEL", options->model, kModelHelp).required();
  command.add_option("FILE", options->file, "text file").required();
  command.add_option("--ctx", options->window, "tokens of a window, each evaluated alone")
      .between(1, 1 << 20)
      .shows_default();
  command.add_option("--nll", options->nll_file,
                     "file for float32 little-endian, -1 where nothing is scored");
  add_model_options(command, options->compute);
  command.runs([options] { return report(measure(*options)); });
}

}  // namespace baleen

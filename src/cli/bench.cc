// baleen bench: tokens per second of prefill and decode, beside what this machine can do at most.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/model_options.h"
#include "cli/report.h"
#include "cli/step_timer.h"
#include "kernels/ceilings.h"

namespace baleen {
namespace {

constexpr int32_t kMaxTokens = 1 << 20, kMaxStreams = 512;
constexpr int32_t kContext = 32;     // tokens before those that are timed, with more than one stream
constexpr double kMinSeconds = 1.0;  // short prompts are repeated for so long

struct BenchOptions {
  ComputeOptions compute;
  std::string model;
  std::vector<int32_t> prompts{512}, batches{1, 4, 16};
  int32_t generated = 64;
  bool json = false;
};

struct Prefill {
  int32_t tokens;
  double tok_s, gmac_s;
};

struct Decode {
  int32_t batch;
  double tok_s, gmac_s, gb_s;
};

struct Report {
  std::string model, isa;
  int threads;
  std::vector<Prefill> prefill;
  std::vector<Decode> decode;
  Ceilings ceilings;
};

Prefill time_prefill(StepTimer& timer, const ModelCost& cost, int32_t tokens) {
  timer.prefill(tokens);  // warm-up
  double time = 0;
  int runs = 0;
  for (; runs == 0 || time < kMinSeconds; ++runs) time += timer.prefill(tokens).seconds;
  const double macs =
      static_cast<double>(cost.macs_per_token) * tokens + static_cast<double>(cost.macs_per_wanted_row);
  return {tokens, tokens * runs / time, macs * runs / time * 1e-9};
}

Decode time_decode(StepTimer& timer, const ModelCost& cost, int32_t batch, int32_t steps) {
  timer.decode(batch, 0, 2);  // warm-up
  const StepSums sums = timer.decode(batch, batch > 1 ? kContext : 0, steps);
  const double tok_s = static_cast<double>(batch) * steps / sums.seconds;
  const auto macs = static_cast<double>(cost.macs_per_token + cost.macs_per_wanted_row);
  const auto bytes = static_cast<double>(cost.packed_bytes * steps + sums.routed_bytes);
  return {batch, tok_s, macs * tok_s * 1e-9, bytes / sums.seconds * 1e-9};
}

Result<Report> measure(const BenchOptions& options) {
  auto machine = Machine::make(options.compute);
  if (!machine) return error_of(machine);
  const Compute& compute = machine->compute();
  auto opened = open_model(options.model, *machine);
  if (!opened) return error_of(opened);
  const Model& model = *opened->model;
  Report report{.model = std::string(opened->checkpoint.name()),
                .isa = std::string(name(compute.kernels->isa)),
                .threads = compute.pool->size(),
                .prefill = {},
                .decode = {},
                .ceilings = measure_ceilings(compute)};
  for (const int32_t tokens : options.prompts) {
    auto timer = StepTimer::make(model, machine->kv_type(), 1, tokens);
    if (!timer) return error_of(timer);
    report.prefill.push_back(time_prefill(*timer, model.cost(), tokens));
  }
  for (const int32_t batch : options.batches) {
    auto timer = StepTimer::make(model, machine->kv_type(), batch, kContext + options.generated);
    if (!timer) return error_of(timer);
    report.decode.push_back(time_decode(*timer, model.cost(), batch, options.generated));
  }
  return report;
}

void print_json(const Report& report) {
  json::Writer writer;
  writer.begin_object()
      .member("model", report.model)
      .member("isa", report.isa)
      .member("threads", report.threads);
  writer.key("prefill").begin_array();
  for (const Prefill& each : report.prefill)
    writer.begin_object()
        .member("tokens", each.tokens)
        .member("tok_s", each.tok_s)
        .member("gmac_s", each.gmac_s)
        .end_object();
  writer.end_array().key("decode").begin_array();
  for (const Decode& each : report.decode)
    writer.begin_object()
        .member("batch", each.batch)
        .member("tok_s", each.tok_s)
        .member("gmac_s", each.gmac_s)
        .member("gb_s", each.gb_s)
        .end_object();
  writer.end_array().key("ceilings").begin_object();
  writer.member("int8_gmac_s", report.ceilings.int8_gmac_s)
      .member("fp32_gflop_s", report.ceilings.fp32_gflop_s);
  writer.member("read_gb_s", report.ceilings.read_gb_s).end_object().end_object();
  std::printf("%s\n", writer.text().c_str());
}

/// 0 where the ceiling could not be measured.
double percent(double value, double ceiling) { return ceiling > 0 ? 100 * value / ceiling : 0; }

void print_table(const Report& report) {
  const Ceilings& most = report.ceilings;
  std::printf("%s, %s, %d threads\n", report.model.c_str(), report.isa.c_str(), report.threads);
  std::printf("this machine: %.0f GMAC/s in int8, %.0f GFLOP/s in fp32, reads %.1f GB/s\n\n",
              most.int8_gmac_s, most.fp32_gflop_s, most.read_gb_s);
  std::printf("%-20s %10s %20s %20s\n", "", "tokens/s", "GMAC/s (of int8)", "GB/s (of reading)");
  for (const Prefill& each : report.prefill)
    std::printf("prefill %-12d %10.1f %12.1f (%3.0f %%)\n", each.tokens, each.tok_s, each.gmac_s,
                percent(each.gmac_s, most.int8_gmac_s));
  for (const Decode& each : report.decode)
    std::printf("decode of %-10d %10.1f %12.1f (%3.0f %%) %12.2f (%3.0f %%)\n", each.batch, each.tok_s,
                each.gmac_s, percent(each.gmac_s, most.int8_gmac_s), each.gb_s,
                percent(each.gb_s, most.read_gb_s));
}

}  // namespace

void add_bench(CommandLine& program) {
  auto options = std::make_shared<BenchOptions>();
  Command command = program.add_command("bench", "Measure prefill and decode beside the machine's ceilings");
  command.add_option("MODEL", options->model, kModelHelp).required();
  command.add_option("--prompt", options->prompts, "tokens of a prompt: 512 or 128,512")
      .separated_by_commas()
      .between(1, kMaxTokens)
      .shows_default();
  command.add_option("--gen", options->generated, "tokens that each stream generates")
      .between(1, kMaxTokens)
      .shows_default();
  command.add_option("--batch", options->batches, "streams that decode together: 1,4,16")
      .separated_by_commas()
      .between(1, kMaxStreams)
      .shows_default();
  command.add_flag("--json", options->json, "one JSON object instead of a table");
  add_model_options(command, options->compute);
  command.runs([options] {
    auto report = measure(*options);
    if (!report) return baleen::report(report.error());
    options->json ? print_json(*report) : print_table(*report);
    return 0;
  });
}

}  // namespace baleen

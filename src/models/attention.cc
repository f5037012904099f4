#include "models/attention.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace baleen {
namespace {

/// Query rows of one job, so that a page that has been read and widened serves many; with 64 dimensions a
/// head their queries, scores and sums take 20 KiB of L1.
constexpr int32_t kJobRows = 32;

int32_t job_tokens(const AttentionShape& shape) { return std::max(1, kJobRows / shape.group()); }
int32_t job_rows(const AttentionShape& shape) { return job_tokens(shape) * shape.group(); }

/// Consecutive tokens of one sequence, all query heads of one KV head.
struct Job {
  const Step::Part* part;
  int32_t first, tokens;  ///< within the part
  int32_t kv_head;
};

/// One thread's scratch. Query row r is head r % group of token r / group.
struct JobScratch {
  float *queries, *out, *scores, *max, *sum, *correction, *keys, *values;
  VisibleKeys* visible;
  I8Queries i8_queries;
};

JobScratch take_job_scratch(const AttentionShape& shape, Workspace& scratch) {
  const int64_t rows = job_rows(shape);
  return {.queries = scratch.take<float>(rows * shape.key_dim),
          .out = scratch.take<float>(rows * shape.value_dim),
          .scores = scratch.take<float>(rows * kTileKeys),
          .max = scratch.take<float>(rows),
          .sum = scratch.take<float>(rows),
          .correction = scratch.take<float>(rows),
          .keys = scratch.take<float>(int64_t{kTileKeys} * shape.key_dim),
          .values = scratch.take<float>(int64_t{kTileKeys} * shape.value_dim),
          .visible = scratch.take<VisibleKeys>(rows),
          .i8_queries = {.codes = scratch.take<int8_t>(rows * i8_padded(shape.key_dim)),
                         .scales = scratch.take<float>(rows * i8_blocks(shape.key_dim)),
                         .sums = scratch.take<int32_t>(rows * i8_blocks(shape.key_dim))}};
}

size_t job_scratch_bytes(const AttentionShape& shape) {
  const auto rows = static_cast<size_t>(job_rows(shape));
  const auto dims = static_cast<size_t>(shape.key_dim + shape.value_dim);
  const auto i8_row = static_cast<size_t>(i8_padded(shape.key_dim) + 8 * i8_blocks(shape.key_dim));
  constexpr size_t kTakes = 12;
  return sizeof(float) * (rows * (dims + kTileKeys + 4) + kTileKeys * dims) + rows * i8_row + kTakes * 64;
}

/// Slots of the page that starts at `page_position` seen from `position`.
VisibleKeys visible_keys(int32_t position, int32_t page_position, int32_t window) {
  const auto below = [](int64_t end) {
    return static_cast<VisibleKeys>((uint64_t{1} << std::clamp<int64_t>(end, 0, kTileKeys)) - 1);
  };
  const int64_t slot = int64_t{position} - page_position;
  const VisibleKeys causal = below(slot + 1);
  return window == 0 ? causal : causal & ~below(slot + 1 - window);
}

void scale_queries(const RowKernels& kernels, const AttentionShape& shape, Rows q, const Job& job,
                   const JobScratch& s) {
  const int64_t width = int64_t{shape.group()} * shape.key_dim;
  for (int32_t t = 0; t < job.tokens; ++t)
    kernels.scale(q.row(job.part->first_row + job.first + t) + job.kv_head * width, shape.scale, width,
                  s.queries + t * width);
}

/// Scores of the job's queries with one head's keys of a page.
void score_page(const RowKernels& kernels, const KvLayout& layout, const std::byte* keys,
                const TileRows& tile, const JobScratch& s) {
  switch (layout.type) {
    case KvType::f32:
      return kernels.scores(s.queries, reinterpret_cast<const float*>(keys), layout.key_dim, tile);
    case KvType::f16:
      kernels.widen_f16(reinterpret_cast<const uint16_t*>(keys), int64_t{kTileKeys} * layout.key_dim, s.keys);
      return kernels.scores(s.queries, s.keys, layout.key_dim, tile);
    case KvType::i8:
      return kernels.scores_i8(s.i8_queries, reinterpret_cast<const int8_t*>(keys), layout.key_dim, tile);
  }
}

/// One head's values of a page as floats, in place where they are stored so.
const float* page_values(const RowKernels& kernels, const KvLayout& layout, const std::byte* values,
                         const JobScratch& s) {
  switch (layout.type) {
    case KvType::f32:
      return reinterpret_cast<const float*>(values);
    case KvType::f16:
      kernels.widen_f16(reinterpret_cast<const uint16_t*>(values), int64_t{kTileKeys} * layout.value_dim,
                        s.values);
      return s.values;
    case KvType::i8:
      kernels.widen_values_i8(reinterpret_cast<const int8_t*>(values), layout.value_dim, s.values);
      return s.values;
  }
  CHECK(false);
}

/// One head's new keys and values into a page.
void store_head(const RowKernels& kernels, KvType type, const HeadRows& new_keys, const HeadRows& new_values,
                std::byte* keys, std::byte* values) {
  switch (type) {
    case KvType::f32:
      kernels.store_keys_f32(new_keys, reinterpret_cast<float*>(keys));
      return kernels.store_values_f32(new_values, reinterpret_cast<float*>(values));
    case KvType::f16:
      kernels.store_keys_f16(new_keys, reinterpret_cast<uint16_t*>(keys));
      return kernels.store_values_f16(new_values, reinterpret_cast<uint16_t*>(values));
    case KvType::i8:
      kernels.store_keys_i8(new_keys, reinterpret_cast<int8_t*>(keys));
      return kernels.store_values_i8(new_values, reinterpret_cast<int8_t*>(values));
  }
}

/// The queries of a step and where their results go.
struct QueryRows {
  Rows q, out;
};

void run_job(const Pass& pass, const AttentionShape& shape, int32_t layer, const Job& job,
             const QueryRows& queries, const JobScratch& s) {
  const RowKernels& kernels = pass.kernels();
  const KvLayout& layout = pass.pool.layout();
  const int32_t group = shape.group(), rows = job.tokens * group;
  const int32_t first_position = job.part->first_position + job.first;
  scale_queries(kernels, shape, queries.q, job, s);
  if (layout.type == KvType::i8) kernels.quantise_queries(s.queries, rows, shape.key_dim, s.i8_queries);
  std::fill_n(s.out, int64_t{rows} * shape.value_dim, 0.0f);
  std::fill_n(s.max, rows, -std::numeric_limits<float>::infinity());
  std::fill_n(s.sum, rows, 0.0f);

  const TileRows tile{rows, s.visible, s.scores, s.max, s.sum, s.correction};
  const int32_t oldest = shape.window == 0 ? 0 : std::max(0, first_position - shape.window + 1);
  const int32_t last_page = (first_position + job.tokens - 1) / kPageTokens;
  for (int32_t index = oldest / kPageTokens; index <= last_page; ++index) {
    for (int32_t r = 0; r < rows; ++r)
      s.visible[r] = visible_keys(first_position + r / group, index * kPageTokens, shape.window);
    const PageId page = job.part->pages->pages[static_cast<size_t>(index)];
    score_page(kernels, layout, pass.pool.keys(page, layer, job.kv_head), tile, s);
    kernels.softmax_tile(tile);
    const float* values = page_values(kernels, layout, pass.pool.values(page, layer, job.kv_head), s);
    kernels.weighted_sum(tile, values, shape.value_dim, s.out);
  }
  kernels.divide(s.sum, rows, shape.value_dim, s.out);
  const int64_t width = int64_t{group} * shape.value_dim;
  for (int32_t t = 0; t < job.tokens; ++t)
    std::copy_n(s.out + t * width, width,
                queries.out.row(job.part->first_row + job.first + t) + job.kv_head * width);
}

/// Fills `jobs`, late tokens first: they see the most keys, and long jobs should not come last.
int64_t plan_jobs(const Step& step, const AttentionShape& shape, Job* jobs) {
  int64_t count = 0;
  const int32_t tokens = job_tokens(shape);
  for (const Step::Part& part : step.parts)
    for (int32_t first = (part.rows - 1) / tokens * tokens; first >= 0; first -= tokens)
      for (int32_t kv_head = 0; kv_head < shape.kv_heads; ++kv_head)
        jobs[count++] = {&part, first, std::min(tokens, part.rows - first), kv_head};
  return count;
}

}  // namespace

void Attention::store(const Pass& pass, int32_t layer, Rows keys, Rows values) const {
  const RowKernels& kernels = pass.kernels();
  const auto heads = static_cast<int64_t>(shape_.kv_heads);
  pass.compute.pool->parallel_for(
      static_cast<int64_t>(pass.step.parts.size()) * heads, [&](int64_t index, int) {
        const Step::Part& part = pass.step.parts[static_cast<size_t>(index / heads)];
        const auto head = static_cast<int32_t>(index % heads);
        for (int32_t done = 0; done < part.rows;) {
          const int32_t position = part.first_position + done, slot = position % kPageTokens;
          const int32_t count = std::min(kPageTokens - slot, part.rows - done), row = part.first_row + done;
          const PageId page = part.pages->pages[static_cast<size_t>(position / kPageTokens)];
          const HeadRows new_keys{keys.row(row) + head * shape_.key_dim, keys.stride, count, slot,
                                  shape_.key_dim};
          const HeadRows new_values{values.row(row) + head * shape_.value_dim, values.stride, count, slot,
                                    shape_.value_dim};
          store_head(kernels, pass.pool.layout().type, new_keys, new_values,
                     pass.pool.keys(page, layer, head), pass.pool.values(page, layer, head));
          done += count;
        }
      });
}

Rows Attention::attend(const Pass& pass, int32_t layer, Rows q) const {
  const Rows out = pass.take_rows(q.count, int64_t{shape_.heads} * shape_.value_dim);
  ScratchScope scope(pass.scratch);
  Job* jobs = pass.scratch.take<Job>(q.count * shape_.kv_heads);
  const int64_t count = plan_jobs(pass.step, shape_, jobs);
  JobScratch* threads = pass.scratch.take<JobScratch>(pass.compute.pool->size());
  for (int thread = 0; thread < pass.compute.pool->size(); ++thread)
    threads[thread] = take_job_scratch(shape_, pass.scratch);
  pass.compute.pool->parallel_for(count, [&](int64_t index, int thread) {
    run_job(pass, shape_, layer, jobs[index], {q, out}, threads[thread]);
  });
  return out;
}

size_t Attention::scratch_bytes(const Compute& compute, int64_t rows) const {
  const auto threads = static_cast<size_t>(compute.pool->size());
  return rows_bytes(rows, int64_t{shape_.heads} * shape_.value_dim) +
         static_cast<size_t>(rows * shape_.kv_heads) * sizeof(Job) + 64 + threads * sizeof(JobScratch) + 64 +
         threads * job_scratch_bytes(shape_);
}

}  // namespace baleen

#include "models/attention.h"

#include <algorithm>
#include <limits>

#include "models/kv_pages.h"

namespace baleen {
namespace {

/// Latents: a page of them is 72 KiB as floats, and is turned into keys, too, before its first use.
bool has_wide_pages(const AttentionShape& shape) { return shape.key_dim > 256; }

/// Query rows of one job, so that a page that has been read (of latents: turned into codes) serves many. The rows'
/// queries, codes and sums stay in the second-level cache: some 160 KiB of 64 dimensions, 700 KiB of half as many rows
/// of latents. Of more tokens too many would see only parts of the last pages.
int32_t job_tokens(const AttentionShape& shape) {
  constexpr int32_t kTokens = 64;
  const int32_t rows = has_wide_pages(shape) ? 128 : 256;
  return std::clamp(rows / shape.group(), 1, kTokens);
}
int32_t job_rows(const AttentionShape& shape) { return job_tokens(shape) * shape.group(); }

/// Consecutive tokens of one sequence, some query heads of one KV head.
struct Job {
  const Step::Part* part;
  int32_t first, tokens;  ///< within the part
  int32_t kv_head, first_head, heads;

  int32_t rows() const { return tokens * heads; }
  int32_t position() const { return part->first_position + first; }
  PageId page(int32_t index) const { return part->pages->pages[static_cast<size_t>(index)]; }
};

/// One thread's scratch. Query row r is head r % heads of token r / heads of the job.
struct JobScratch {
  float* queries;
  PageQueries coded;
  float *out, *scores, *max, *sum, *correction;
  VisibleKeys* visible;
  std::byte* latents;
};

JobScratch take_job_scratch(const AttentionShape& shape, Workspace& scratch) {
  const int64_t rows = job_rows(shape);
  auto* queries = scratch.take<float>(rows * shape.key_dim);
  return {.queries = queries,
          .coded = take_page_queries(scratch, queries, rows, shape.key_dim),
          .out = scratch.take<float>(rows * shape.value_dim),
          .scores = scratch.take<float>(rows * kTileKeys),
          .max = scratch.take<float>(rows),
          .sum = scratch.take<float>(rows),
          .correction = scratch.take<float>(rows),
          .visible = scratch.take<VisibleKeys>(rows),
          .latents = scratch.take<std::byte>(
              static_cast<int64_t>(latent_view_bytes(shape.key_dim, shape.value_dim)))};
}

size_t job_scratch_bytes(const AttentionShape& shape) {
  const auto rows = static_cast<size_t>(job_rows(shape));
  const auto key_dim = static_cast<size_t>(shape.key_dim), value_dim = static_cast<size_t>(shape.value_dim);
  constexpr size_t kTakes = 8;
  return sizeof(float) * rows * (key_dim + value_dim + kTileKeys + 4) + kTakes * 64 +
         latent_view_bytes(shape.key_dim, shape.value_dim) +
         page_queries_bytes(job_rows(shape), shape.key_dim);
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

void start(const Pass& pass, const AttentionShape& shape, const Job& job, Rows q, const JobScratch& s) {
  const int64_t width = int64_t{job.heads} * shape.key_dim;
  const int64_t column = (int64_t{job.kv_head} * shape.group() + job.first_head) * shape.key_dim;
  for (int32_t t = 0; t < job.tokens; ++t)
    pass.kernels().scale(q.row(job.part->first_row + job.first + t) + column, shape.scale, width,
                         s.queries + t * width);
  encode_queries(pass, s.coded, job.rows(), shape.key_dim);
  std::fill_n(s.out, int64_t{job.rows()} * shape.value_dim, 0.0f);
  std::fill_n(s.max, job.rows(), -std::numeric_limits<float>::infinity());
  std::fill_n(s.sum, job.rows(), 0.0f);
}

void finish(const Pass& pass, const AttentionShape& shape, const Job& job, const JobScratch& s, Rows out) {
  const int64_t width = int64_t{job.heads} * shape.value_dim;
  const int64_t column = (int64_t{job.kv_head} * shape.group() + job.first_head) * shape.value_dim;
  for (int32_t t = 0; t < job.tokens; ++t)
    pass.kernels().divide(s.out + t * width, s.sum + t * job.heads, job.heads, shape.value_dim,
                          out.row(job.part->first_row + job.first + t) + column);
}

/// What the job's rows see of a page; whether any sees something.
bool look(const AttentionShape& shape, const Job& job, int32_t page, const Selection& selection,
          VisibleKeys* visible) {
  VisibleKeys any = 0;
  for (int32_t t = 0; t < job.tokens; ++t) {
    const VisibleKeys seen = visible_keys(job.position() + t, page * kPageTokens, shape.window) &
                             selection.of(job.part->first_row + job.first + t, page);
    std::fill_n(visible + t * job.heads, job.heads, seen);
    any |= seen;
  }
  return any != 0;
}

/// The first page that a query at `position` sees.
int32_t first_page(const AttentionShape& shape, int32_t position) {
  return shape.window == 0 ? 0 : std::max(0, position - shape.window + 1) / kPageTokens;
}

/// All pages that the rows of the first of `jobs` see, in order of position. Meanwhile the next page is fetched, at the
/// end the first one of the second job, which is this thread's next, probably.
void attend_pages(const Pass& pass, const AttentionShape& shape, int32_t layer, std::span<const Job> jobs,
                  const Selection& selection, const JobScratch& s) {
  const Job& job = jobs[0];
  const TileRows tile{job.rows(), s.visible, s.scores, s.max, s.sum, s.correction};
  const int32_t last_page = (job.position() + job.tokens - 1) / kPageTokens;
  for (int32_t index = first_page(shape, job.position()); index <= last_page; ++index) {
    if (!look(shape, job, index, selection, s.visible)) continue;
    PageFetch next;
    if (index < last_page) {
      next = {pass, job.page(index + 1), layer, job.kv_head};
    } else if (jobs.size() > 1) {
      next = {pass, jobs[1].page(first_page(shape, jobs[1].position())), layer, jobs[1].kv_head};
    }
    next.part();
    const PageView view = view_page(pass, job.page(index), layer, job.kv_head, s.latents);
    score_page(pass, s.coded, view.keys, shape.key_dim, tile);
    next.part();
    pass.kernels().softmax_tile(tile);
    next.part();
    add_page_values(pass, tile, view.values, s.out);
    next.part();
  }
}

int64_t token_jobs(const Step& step, const AttentionShape& shape) {
  const int32_t tokens = job_tokens(shape);
  int64_t count = 0;
  for (const Step::Part& part : step.parts) count += (part.rows + tokens - 1) / tokens;
  return count * shape.kv_heads;
}

/// Two jobs a thread keep all threads busy to the end; more would read each page more often, and for the few rows of
/// one decoded token a wide page costs as much as what is done with it.
int64_t wanted_jobs(const Compute& compute, const AttentionShape& shape) {
  return (has_wide_pages(shape) ? 1 : 2) * compute.pool->size();
}

/// Fills `jobs`. Blocks of tokens are dealt to the threads in turn, late ones first: they see the most keys, and long
/// jobs should not come last. Where there are too few for the threads, as in the decoding of one sequence, the heads of
/// a group are split.
int64_t plan_jobs(const Pass& pass, const AttentionShape& shape, Job* jobs) {
  const int64_t whole = token_jobs(pass.step, shape), wanted = wanted_jobs(pass.compute, shape);
  const auto splits = static_cast<int32_t>(std::min<int64_t>((wanted + whole - 1) / whole, shape.group()));
  const int32_t tokens = job_tokens(shape), heads = (shape.group() + splits - 1) / splits;
  const int32_t threads = pass.compute.pool->size();
  int64_t count = 0;
  const auto add_jobs = [&](const Step::Part& part, int32_t first) {
    for (int32_t kv_head = 0; kv_head < shape.kv_heads; ++kv_head)
      for (int32_t head = 0; head < shape.group(); head += heads)
        jobs[count++] = {&part,   first, std::min(tokens, part.rows - first),
                         kv_head, head,  std::min(heads, shape.group() - head)};
  };
  for (int32_t thread = 0; thread < threads; ++thread)
    for (const Step::Part& part : pass.step.parts)
      for (int32_t block = (part.rows - 1) / tokens - thread; block >= 0; block -= threads)
        add_jobs(part, block * tokens);
  return count;
}

/// plan_jobs() splits only where there are fewer jobs than wanted, and then makes no more than these.
int64_t most_jobs(const Compute& compute, const AttentionShape& shape, int64_t rows) {
  return rows * shape.kv_heads + wanted_jobs(compute, shape);
}

}  // namespace

Rows Attention::attend(const Pass& pass, int32_t layer, Rows q, const Selection& selection) const {
  const Rows out = pass.take_rows(q.count, int64_t{shape_.heads} * shape_.value_dim);
  ScratchScope scope(pass.scratch);
  Job* jobs = pass.scratch.take<Job>(most_jobs(pass.compute, shape_, q.count));
  const int64_t count = plan_jobs(pass, shape_, jobs);
  JobScratch* threads = pass.scratch.take<JobScratch>(pass.compute.pool->size());
  for (int thread = 0; thread < pass.compute.pool->size(); ++thread)
    threads[thread] = take_job_scratch(shape_, pass.scratch);
  pass.compute.pool->parallel_for(count, [&](int64_t index, int thread) {
    start(pass, shape_, jobs[index], q, threads[thread]);
    attend_pages(pass, shape_, layer, {jobs + index, jobs + count}, selection, threads[thread]);
    finish(pass, shape_, jobs[index], threads[thread], out);
  });
  return out;
}

void Attention::read_ahead(const Pass& pass, int32_t layer) const {
  // Those of few rows wait for memory themselves; prompts have work for each page that hides its fetching.
  ReadAhead* const plan = pass.compute.read_ahead;
  if (plan == nullptr) return;
  plan->clear();
  const std::span<const Step::Part> parts = pass.step.parts;
  if (parts.size() <= kFewRows || parts.size() != pass.step.tokens.size()) return;
  const size_t bytes = pass.pool.layout().head_bytes();
  const auto add = [&](int thread, const Step::Part& part) {
    const int32_t last = part.first_position / kPageTokens;
    for (int32_t kv_head = 0; kv_head < shape_.kv_heads; ++kv_head)
      for (int32_t page = first_page(shape_, part.first_position); page <= last; ++page)
        if (!plan->add(thread, pass.pool.keys(part.pages->pages[static_cast<size_t>(page)], layer, kv_head),
                       bytes))
          return false;
    return true;
  };
  const int threads = pass.compute.pool->size();
  for (int thread = 0; thread < threads; ++thread) {  // as jobs are shared
    size_t part = parts.size() * static_cast<size_t>(thread) / static_cast<size_t>(threads);
    const size_t last = parts.size() * static_cast<size_t>(thread + 1) / static_cast<size_t>(threads);
    while (part < last && add(thread, parts[part])) ++part;
  }
}

size_t Attention::scratch_bytes(const Compute& compute, int64_t rows) const {
  const auto threads = static_cast<size_t>(compute.pool->size());
  return rows_bytes(rows, int64_t{shape_.heads} * shape_.value_dim) +
         static_cast<size_t>(most_jobs(compute, shape_, rows)) * sizeof(Job) + 64 +
         threads * sizeof(JobScratch) + 64 + threads * job_scratch_bytes(shape_);
}

}  // namespace baleen

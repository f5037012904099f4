// The C interface of the Rust library in rust/: compiles and renders Jinja templates within limits.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

struct BaleenTemplate;  ///< a compiled template
struct BaleenOutcome;   ///< what compiling or rendering gave; never null

/// Bytes [begin, end) of the rendered text; special: control tokens in it count.
struct BaleenPiece {
  size_t begin, end, special;
};

/// Writes `time` as strftime does with `format`, which is not terminated; returns the bytes written, 0 where the
/// text does not fit.
using BaleenFormatTime = size_t (*)(const void* time, const char* format, size_t format_size, char* out,
                                    size_t capacity);

/// `tokens`: JSON {"named": {variable: text}, "control": [text, …]}.
BaleenOutcome* baleen_template_compile(const char* source, size_t source_size, const char* tokens,
                                       size_t tokens_size);
/// The compiled template, the caller's from then on; null where compiling failed.
BaleenTemplate* baleen_outcome_take_template(BaleenOutcome* outcome);
BaleenOutcome* baleen_template_render(const BaleenTemplate* compiled, const char* request,
                                      size_t request_size, BaleenFormatTime format_time, const void* time);

/// 0: done; 1: the template failed or refused; 2: the request is malformed; 3: the template is bad.
int32_t baleen_outcome_status(const BaleenOutcome* outcome);
/// The rendered text, or the error's message; lives as long as the outcome.
const char* baleen_outcome_text(const BaleenOutcome* outcome, size_t* size);
const BaleenPiece* baleen_outcome_pieces(const BaleenOutcome* outcome, size_t* count);

void baleen_outcome_free(BaleenOutcome* outcome);
void baleen_template_free(BaleenTemplate* compiled);

}  // extern "C"

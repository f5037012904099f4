#include "tokenizer/splitters.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "tokenizer/matchers.h"

namespace baleen {
namespace {

using namespace matchers;  // NOLINT: the families below are made of them

using Matcher = const char* (*)(const char* p, const char* end);

template <Matcher match>
void split(std::string_view text, Piece piece, std::vector<Piece>& parts) {
  const char* const base = text.data();
  const char* const end = base + piece.end;
  const auto emit = [&](const char* from, const char* to) {
    parts.push_back({static_cast<uint32_t>(from - base), static_cast<uint32_t>(to - base)});
  };
  const char* gap = base + piece.begin;  // where what no match covers begins
  for (const char* p = gap; p < end;) {
    const char* after = match(p, end);
    if (after == nullptr) {
      p += sequence_length(*p);
      continue;
    }
    if (gap < p) emit(gap, p);
    emit(p, after);
    gap = p = after;
  }
  if (gap < end) emit(gap, end);
}

struct Range {
  char32_t first, last;
};

/// [ranges]+; the ranges are in order.
template <const auto& ranges>
const char* all_in(const char* p, const char* end) {
  const char* run = p;
  while (run < end) {
    const char* next = run;
    const char32_t point = next_code_point(next);
    const auto range = std::ranges::lower_bound(ranges, point, {}, &Range::last);
    if (range == std::end(ranges) || point < range->first) break;
    run = next;
  }
  return run == p ? nullptr : run;
}

/// \s?[ranges]+
template <const auto& ranges>
const char* all_in_after_space(const char* p, const char* end) {
  const Character c = character_at(p);
  if ((c.category & kSpace) == 0) return all_in<ranges>(p, end);
  if (c.next < end)
    if (const char* match = all_in<ranges>(c.next, end)) return match;
  return all_in<ranges>(p, end);
}

// [A-Za-zµÀ-ÖØ-öø-ƺ…𞤀-𞥃]: letters with case, as DeepSeek LLM's tokenizer.json lists them.
constexpr Range kCased[] = {
    {0x41, 0x5A},       {0x61, 0x7A},       {0xB5, 0xB5},       {0xC0, 0xD6},       {0xD8, 0xF6},
    {0xF8, 0x1BA},      {0x1BC, 0x1BF},     {0x1C4, 0x293},     {0x295, 0x2AF},     {0x370, 0x373},
    {0x376, 0x377},     {0x37B, 0x37D},     {0x37F, 0x37F},     {0x386, 0x386},     {0x388, 0x38A},
    {0x38C, 0x38C},     {0x38E, 0x3A1},     {0x3A3, 0x3F5},     {0x3F7, 0x481},     {0x48A, 0x52F},
    {0x531, 0x556},     {0x10A0, 0x10C5},   {0x13A0, 0x13F5},   {0x13F8, 0x13FD},   {0x1C90, 0x1CBA},
    {0x1CBD, 0x1CBF},   {0x1D00, 0x1D2B},   {0x1D6B, 0x1D77},   {0x1D79, 0x1D9A},   {0x1E00, 0x1F15},
    {0x1F18, 0x1F1D},   {0x1F20, 0x1F45},   {0x1F48, 0x1F4D},   {0x1F50, 0x1F57},   {0x1F59, 0x1F59},
    {0x1F5B, 0x1F5B},   {0x1F5D, 0x1F5D},   {0x1F5F, 0x1F7D},   {0x1F80, 0x1FB4},   {0x1FB6, 0x1FBC},
    {0x1FBE, 0x1FBE},   {0x1FC2, 0x1FC4},   {0x1FC6, 0x1FCC},   {0x1FD0, 0x1FD3},   {0x1FD6, 0x1FDB},
    {0x1FE0, 0x1FEC},   {0x1FF2, 0x1FF4},   {0x1FF6, 0x1FFC},   {0x2102, 0x2102},   {0x2107, 0x2107},
    {0x210A, 0x2113},   {0x2115, 0x2115},   {0x2119, 0x211D},   {0x2124, 0x2124},   {0x2126, 0x2126},
    {0x2128, 0x2128},   {0x212A, 0x212D},   {0x212F, 0x2134},   {0x2139, 0x2139},   {0x213C, 0x213F},
    {0x2145, 0x2149},   {0x214E, 0x214E},   {0x2183, 0x2184},   {0x2C00, 0x2C7B},   {0x2C7E, 0x2CE4},
    {0x2CEB, 0x2CEE},   {0x2CF2, 0x2CF3},   {0xA640, 0xA66D},   {0xA680, 0xA69B},   {0xA722, 0xA76F},
    {0xA771, 0xA787},   {0xA78B, 0xA78E},   {0xAB70, 0xABBF},   {0xFB00, 0xFB06},   {0xFB13, 0xFB17},
    {0xFF21, 0xFF3A},   {0xFF41, 0xFF5A},   {0x10400, 0x1044F}, {0x104B0, 0x104D3}, {0x104D8, 0x104FB},
    {0x10C80, 0x10CB2}, {0x10CC0, 0x10CF2}, {0x118A0, 0x118DF}, {0x1E900, 0x1E943}};
// [!-/:-~！-／：-～‘-‟　-。]
constexpr Range kWestern[] = {{0x21, 0x2F},     {0x3A, 0x7E},     {0x2018, 0x201F},
                              {0x3000, 0x3002}, {0xFF01, 0xFF0F}, {0xFF1A, 0xFF5E}};
// [一-龥ࠀ-一가-퟿]
constexpr Range kEastern[] = {{0x800, 0x9FA5}, {0xAC00, 0xD7FF}};
// [一-龥぀-ゟ゠-ヿ]
constexpr Range kHanKana[] = {{0x3040, 0x30FF}, {0x4E00, 0x9FA5}};
// [0-9]
constexpr Range kDigits[] = {{'0', '9'}};

/// [\r\n]
const char* newline(const char* p, const char*) { return is_newline(*p) ? p + 1 : nullptr; }

/// [0-9][0-9][0-9]
const char* three_digits(const char* p, const char* end) {
  if (end - p < 3) return nullptr;
  const char* run = all_in<kDigits>(p, p + 3);
  return run == p + 3 ? run : nullptr;
}

constexpr std::string_view kDefaultMarks = "$+<=>^~|", kFalconMarks = "$+<=>^~|`";

/// [\p{P}marks]+
template <const auto& marks>
const char* punctuation(const char* p, const char* end) {
  const auto is_one = [](const char* q, const Character& c) {
    return (c.category & kPunctuation) || marks.find(*q) != std::string_view::npos;
  };
  const char* run = p;
  while (run < end) {
    const Character c = character_at(run);
    if (!is_one(run, c)) break;
    run = c.next;
  }
  return run == p ? nullptr : run;
}

/// \s+$: the white space that ends the piece.
void split_off_last_space(std::string_view text, Piece piece, std::vector<Piece>& parts) {
  uint32_t cut = piece.end;
  while (cut > piece.begin) {
    uint32_t before = cut - 1;
    while (before > piece.begin && (text[before] & 0xC0) == 0x80) --before;
    if ((character_at(text.data() + before).category & kSpace) == 0) break;
    cut = before;
  }
  if (piece.begin < cut) parts.push_back({piece.begin, cut});
  if (cut < piece.end) parts.push_back({cut, piece.end});
}

constexpr int kAny = std::numeric_limits<int>::max();

constexpr Splitter kGpt2[] = {split<gpt2>};
constexpr Splitter kSingleDigitsGpt2[] = {split<some<kNumber, 1>>, split<gpt2>};
constexpr Splitter kLlama3[] = {split<cl100k<3>>};
constexpr Splitter kQwen2[] = {split<cl100k<1>>};
constexpr Splitter kQwen35[] = {split<cl100k<1, kLetter | kMark>>};
constexpr Splitter kGpt4o[] = {split<o200k<3, true>>};
constexpr Splitter kTekken[] = {split<o200k<1, false>>};
constexpr Splitter kDeepseekLlm[] = {
    split<newline>,       split<all_in_after_space<kCased>>, split<all_in_after_space<kWestern>>,
    split_off_last_space, split<all_in<kEastern>>,           split<some<kNumber, kAny>>};
constexpr Splitter kDeepseekCoder[] = {split<newline>, split<all_after_space<kLetter>>,
                                       split<all_after_space<kPunctuation>>, split<all_in<kEastern>>,
                                       split<some<kNumber, 1>>};
constexpr Splitter kDeepseek3[] = {split<some<kNumber, 3>>, split<all_in<kHanKana>>, split<deepseek3>};
constexpr Splitter kFalcon[] = {split<punctuation<kFalconMarks>>, split<gpt2>, split<three_digits>};
constexpr Splitter kDefault[] = {split<punctuation<kDefaultMarks>>, split<gpt2>, split<some<kNumber, kAny>>,
                                 split<three_digits>};

struct NamedExpression {
  std::string_view text;
  Splitter splitter;
};

#define BALEEN_SPACES R"(\s*[\r\n]+|\s+(?!\S)|\s+)"
#define BALEEN_UPPER R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])"
#define BALEEN_LOWER R"([\p{Ll}\p{Lm}\p{Lo}\p{M}])"
#define BALEEN_CONTRACTION R"((?i:'s|'t|'re|'ve|'m|'ll|'d))"

constexpr NamedExpression kExpressions[] = {
    {R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", split<gpt2>},
    {BALEEN_CONTRACTION R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|)" BALEEN_SPACES,
     split<cl100k<3>>},
    {BALEEN_CONTRACTION R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|)" BALEEN_SPACES,
     split<cl100k<1>>},
    {BALEEN_CONTRACTION
     R"(|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|)" BALEEN_SPACES,
     split<cl100k<1, kLetter | kMark>>},
    {BALEEN_UPPER "*" BALEEN_LOWER "+" BALEEN_CONTRACTION "?|" BALEEN_UPPER "+" BALEEN_LOWER
                  "*" BALEEN_CONTRACTION R"(?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|)" BALEEN_SPACES,
     split<o200k<3, true>>},
    {BALEEN_UPPER "*" BALEEN_LOWER "+|" BALEEN_UPPER "+" BALEEN_LOWER
                  R"(*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|)" BALEEN_SPACES,
     split<o200k<1, false>>},
    {R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|)"
     R"( ?[\p{P}\p{S}]+[\r\n]*|)" BALEEN_SPACES,
     split<deepseek3>},
    {R"(\p{N}{1,3})", split<some<kNumber, 3>>},
    {R"(\p{N})", split<some<kNumber, 1>>},
    {R"(\p{N}+)", split<some<kNumber, kAny>>},
    {"[0-9][0-9][0-9]", split<three_digits>},
    {"[一-龥\u3040-ゟ゠-ヿ]+", split<all_in<kHanKana>>},
    {"[一-龥ࠀ-一가-\uD7FF]+", split<all_in<kEastern>>},
    {R"([\r\n])", split<newline>},
    {R"(\s?\p{L}+)", split<all_after_space<kLetter>>},
    {R"(\s?\p{P}+)", split<all_after_space<kPunctuation>>},
    {R"(\s+$)", split_off_last_space},
};

#undef BALEEN_SPACES
#undef BALEEN_UPPER
#undef BALEEN_LOWER
#undef BALEEN_CONTRACTION

// Names and expressions: llama.cpp, src/llama-vocab.cpp; each model's tokenizer.json.
constexpr PreTokenizerFamily kFamilies[] = {
    {"default", kDefault},
    {"gpt-2", kGpt2},
    {"phi-2", kGpt2},
    {"mpt", kGpt2},
    {"olmo", kGpt2},
    {"jais", kGpt2},
    {"trillion", kGpt2},
    {"jina-es", kGpt2},
    {"jina-de", kGpt2},
    {"smollm", kSingleDigitsGpt2},
    {"starcoder", kSingleDigitsGpt2},
    {"refact", kSingleDigitsGpt2},
    {"command-r", kSingleDigitsGpt2},
    {"codeshell", kSingleDigitsGpt2},
    {"exaone", kSingleDigitsGpt2},
    {"minerva-7b", kSingleDigitsGpt2},
    {"llama-bpe", kLlama3, false, true},
    {"llama3", kLlama3, false, true},
    {"llama-v3", kLlama3, false, true},
    {"falcon3", kLlama3, false, true},
    {"dbrx", kLlama3},
    {"smaug-bpe", kLlama3},
    {"qwen2", kQwen2, true},
    {"deepseek-r1-qwen", kQwen2, true},
    {"stablelm2", kQwen2},
    {"megrez", kQwen2},
    {"hunyuan", kQwen2},
    {"grok-2", kQwen2},
    {"gpt-4o", kGpt4o, false, true},
    {"llama4", kGpt4o, false, true},
    {"tekken", kTekken, false, true},
    {"deepseek-llm", kDeepseekLlm},
    {"deepseek-coder", kDeepseekCoder},
    {"deepseek-v3", kDeepseek3},
    {"granite-docling", kGpt2},
    {"exaone4", kGpt2},
    {"gigachat", kGpt2},
    {"jina-v1-en", kGpt2},
    {"jina-v2-code", kGpt2},
    {"jina-v2-es", kGpt2},
    {"jina-v2-de", kGpt2},
    {"roberta-bpe", kGpt2},
    {"a.x-4.0", kGpt2},
    {"mellum", kGpt2},
    {"modern-bert", kGpt2},
    {"mellum2", kSingleDigitsGpt2},
    {"joyai-llm", kDeepseek3},
    {"hy_v4", kDeepseek3},
    {"solar-open", kQwen2},
    {"kormo", kQwen2},
    {"f2llmv2", kQwen2},
    {"chatglm-bpe", kLlama3},
    {"falcon", kFalcon},
    {"qwen35", kQwen35},
    {"kanana2", kGpt4o, false, true},
    {"minimax-m2", kGpt4o},
    {"falcon-h1", kLlama3, false, true},
    {"pixtral", kLlama3, false, true},
    {"midm-2.0", kLlama3, false, true},
    {"lfm2", kLlama3, false, true},
    {"glm4", kLlama3, false, true},
    {"glm5", kLlama3, false, true},
    {"hunyuan-dense", kDeepseek3},
};

}  // namespace

const Splitter kSplitGpt2 = split<gpt2>;

Splitter splitter_of_expression(std::string_view expression) {
  // Some files write line ends themselves where others write them as \r and \n.
  std::string spelled;
  for (const char c : expression) spelled += c == '\r' ? "\\r" : c == '\n' ? "\\n" : std::string(1, c);
  const auto* found = std::ranges::find(kExpressions, std::string_view(spelled), &NamedExpression::text);
  return found == std::end(kExpressions) ? nullptr : found->splitter;
}

std::string_view name_of_pre_tokenizer(const PreTokenizerFamily& like) {
  for (const PreTokenizerFamily& each : kFamilies)
    if (each.normalizes_to_nfc == like.normalizes_to_nfc &&
        each.takes_whole_pieces == like.takes_whole_pieces &&
        std::ranges::equal(each.splitters, like.splitters))
      return each.name;
  return {};
}

const PreTokenizerFamily* find_pre_tokenizer(std::string_view name) {
  const auto* found = std::ranges::find(kFamilies, name, &PreTokenizerFamily::name);
  return found == std::end(kFamilies) ? nullptr : found;
}

}  // namespace baleen

#include "base/json.h"

#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <type_traits>
#include <vector>

#include "base/check.h"
#include "base/json_text.h"
#include "base/utf8.h"

namespace baleen::json {
namespace dom = simdjson::dom;

static_assert(std::is_trivially_copyable_v<dom::element>);

struct Document::State {
  dom::document document;
};

namespace {

/// simdjson's view of a place: its elements are a pointer to the document and an index into its tape.
template <class Place>
dom::element element_at(const Place& place) {
  static_assert(sizeof(Place) == sizeof(dom::element));
  return std::bit_cast<dom::element>(place);
}

template <class Place>
simdjson::internal::tape_ref tape_at(const Place& place) {
  return {static_cast<const dom::document*>(place.document), place.index};
}

/// The message names what a person can act on; simdjson gives no offset.
std::unexpected<Error> not_json(simdjson::error_code code) {
  return bad_input(std::string("not valid JSON: ") + simdjson::error_message(code));
}

/// Sorting, not hashing: keys are an enemy's choice, and collisions are easily made for std::hash.
std::optional<std::string_view> duplicate_key(const Value& object, std::vector<std::string_view>& keys) {
  keys.clear();
  for (const auto& [key, value] : object) keys.push_back(key);
  std::sort(keys.begin(), keys.end());
  const auto found = std::adjacent_find(keys.begin(), keys.end());
  if (found == keys.end()) return std::nullopt;
  return *found;
}

/// Walks every object, with a stack of our own.
Result<void> refuse_duplicate_keys(Value root) {
  constexpr size_t kShownKey = 100;
  std::vector<std::string_view> keys;
  std::vector<Value> open{root};
  while (!open.empty()) {
    const Value value = open.back();
    open.pop_back();
    if (value.kind() == Kind::object) {
      if (auto key = duplicate_key(value, keys))
        return bad_input("JSON: the key \"" + std::string(key->substr(0, kShownKey)) +
                         "\" stands twice in one object");
    }
    for (const auto& [key, member] : value)
      if (member.size() > 0) open.push_back(member);
  }
  return {};
}

}  // namespace

Result<Document> Document::parse(std::string_view text, const Limits& limits) {
  auto padded = within_limits(text, limits);
  if (!padded) return error_of(padded);
  const size_t size = padded->size();
  padded->resize(size + simdjson::SIMDJSON_PADDING);
  auto state = std::make_unique<State>();
  dom::parser parser;
  // depth + 1: simdjson refuses a non-empty array at exactly the depth given.
  if (auto code = parser.allocate(std::max<size_t>(size, 1), limits.depth + 1)) return not_json(code);
  dom::element root;
  if (auto code = parser.parse_into_document(state->document, padded->data(), size, false).get(root))
    return not_json(code);
  Document document(std::move(state));
  if (auto unique = refuse_duplicate_keys(document.root()); !unique) return error_of(unique);
  return document;
}

Document::Document(std::unique_ptr<State> state) : state_(std::move(state)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Value Document::root() const { return Value(std::bit_cast<Value::Place>(state_->document.root())); }

Kind Value::kind() const {
  if (place_.document == nullptr) return Kind::null;
  switch (element_at(place_).type()) {
    case dom::element_type::NULL_VALUE:
      return Kind::null;
    case dom::element_type::BOOL:
      return Kind::boolean;
    case dom::element_type::INT64:
    case dom::element_type::UINT64:
      return Kind::integer;
    case dom::element_type::DOUBLE:
      return Kind::real;
    case dom::element_type::STRING:
      return Kind::string;
    case dom::element_type::ARRAY:
      return Kind::array;
    case dom::element_type::OBJECT:
      return Kind::object;
  }
  CHECK(false);
  __builtin_unreachable();
}

std::optional<bool> Value::boolean() const {
  if (kind() != Kind::boolean) return std::nullopt;
  return element_at(place_).get_bool().value_unsafe();
}

std::optional<int64_t> Value::integer() const {
  if (kind() == Kind::integer) {
    int64_t whole;
    if (element_at(place_).get_int64().get(whole)) return std::nullopt;
    return whole;
  }
  constexpr double kBeyond = 9223372036854775808.0;  // 2^63
  const auto real = number();
  if (!real || std::trunc(*real) != *real || *real < -kBeyond || *real >= kBeyond) return std::nullopt;
  return static_cast<int64_t>(*real);
}

std::optional<uint64_t> Value::unsigned_integer() const {
  uint64_t whole;
  if (kind() != Kind::integer || element_at(place_).get_uint64().get(whole)) return std::nullopt;
  return whole;
}

std::optional<double> Value::number() const {
  if (!is_number()) return std::nullopt;
  return element_at(place_).get_double().value_unsafe();
}

std::optional<std::string_view> Value::string() const {
  if (kind() != Kind::string) return std::nullopt;
  return element_at(place_).get_string().value_unsafe();
}

size_t Value::size() const {
  const Kind own = kind();
  if (own == Kind::array) return element_at(place_).get_array().value_unsafe().size();
  if (own == Kind::object) return element_at(place_).get_object().value_unsafe().size();
  return 0;
}

Value::Iterator Value::begin() const {
  // Behind the opening bracket; other kinds have no members, so that begin() is end().
  return size() == 0 ? end() : Iterator({place_.document, place_.index + 1}, kind() == Kind::object);
}

Value::Iterator Value::end() const {
  const Kind own = kind();
  if (own != Kind::array && own != Kind::object) return {place_, false};
  return {{place_.document, tape_at(place_).after_element() - 1}, own == Kind::object};
}

Value::Found Value::find(std::string_view key) const {
  if (kind() != Kind::object) return {};
  for (const auto& [name, value] : *this)
    if (name == key) return value;
  return {};
}

std::string_view Value::Iterator::key() const {
  return in_object_ ? tape_at(place_).get_string_view() : std::string_view();
}

Value Value::Iterator::value() const { return Value({place_.document, place_.index + (in_object_ ? 1 : 0)}); }

Value::Iterator& Value::Iterator::operator++() {
  place_.index = tape_at(value().place_).after_element();
  return *this;
}

Writer& Writer::begin_object() {
  separate();
  out_ += '{';
  need_comma_ = false;
  return *this;
}

Writer& Writer::end_object() {
  out_ += '}';
  need_comma_ = true;
  return *this;
}

Writer& Writer::begin_array() {
  separate();
  out_ += '[';
  need_comma_ = false;
  return *this;
}

Writer& Writer::end_array() {
  out_ += ']';
  need_comma_ = true;
  return *this;
}

Writer& Writer::key(std::string_view name) {
  separate();
  quote(name);
  out_ += ':';
  need_comma_ = false;
  return *this;
}

Writer& Writer::value(std::string_view text) {
  separate();
  quote(text);
  return *this;
}

Writer& Writer::value(bool flag) { return raw(flag ? "true" : "false"); }

Writer& Writer::null() { return raw("null"); }

namespace {

template <class T>
std::string_view shortest(T number, std::span<char> room) {
  const auto end = std::to_chars(room.data(), room.data() + room.size(), number).ptr;
  return {room.data(), static_cast<size_t>(end - room.data())};
}

constexpr size_t kLongestNumber = 32;  // the shortest text of a double has at most 24 characters

}  // namespace

Writer& Writer::integer(int64_t number) {
  char room[kLongestNumber];
  return raw(shortest(number, room));
}

Writer& Writer::unsigned_integer(uint64_t number) {
  char room[kLongestNumber];
  return raw(shortest(number, room));
}

Writer& Writer::value(double number) {
  char room[kLongestNumber];
  return std::isfinite(number) ? raw(shortest(number, room)) : null();
}

Writer& Writer::value(float number) {
  char room[kLongestNumber];
  return std::isfinite(number) ? raw(shortest(number, room)) : null();
}

Writer& Writer::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

void Writer::copy_scalar(const Value& value) {
  switch (value.kind()) {
    case Kind::boolean:
      this->value(*value.boolean());
      return;
    case Kind::string:
      this->value(*value.string());
      return;
    case Kind::integer:
      if (const auto number = value.integer())
        integer(*number);
      else
        unsigned_integer(*value.unsigned_integer());
      return;
    case Kind::real: {
      char room[kLongestNumber];
      const std::string number(shortest(*value.number(), room));
      raw(number.find_first_of(".e") == std::string::npos ? number + ".0" : number);
      return;
    }
    case Kind::null:
    case Kind::array:
    case Kind::object:
      null();
  }
}

/// With a stack of its own.
Writer& Writer::copy(const Value& value) {
  struct Open {
    Value::Iterator next, end;
    bool is_object;
  };
  std::vector<Open> open;
  const auto begin = [&](const Value& each) {
    const bool is_object = each.kind() == Kind::object;
    if (!is_object && each.kind() != Kind::array) return copy_scalar(each);
    is_object ? begin_object() : begin_array();
    open.push_back({each.begin(), each.end(), is_object});
  };
  begin(value);
  while (!open.empty()) {
    Open& top = open.back();
    if (top.next == top.end) {
      top.is_object ? end_object() : end_array();
      open.pop_back();
      continue;
    }
    const auto [name, element] = *top.next;
    ++top.next;
    if (top.is_object) key(name);
    begin(element);
  }
  return *this;
}

void Writer::separate() {
  if (need_comma_) out_ += ',';
  need_comma_ = true;
}

void Writer::quote(std::string_view text) {
  out_ += '"';
  while (!text.empty()) {
    const Utf8Sequence sequence = first_utf8_sequence(text);
    switch (sequence.scalar) {
      case U'"':
        out_ += "\\\"";
        break;
      case U'\\':
        out_ += "\\\\";
        break;
      case U'\n':
        out_ += "\\n";
        break;
      case U'\r':
        out_ += "\\r";
        break;
      case U'\t':
        out_ += "\\t";
        break;
      default:
        if (sequence.scalar < 0x20) {
          constexpr char kHex[] = "0123456789abcdef";
          out_ += {'\\', 'u', '0', '0', kHex[sequence.scalar >> 4], kHex[sequence.scalar & 15]};
        } else {
          out_ += sequence.valid ? text.substr(0, sequence.length) : "\uFFFD";
        }
    }
    text.remove_prefix(sequence.length);
  }
  out_ += '"';
}

}  // namespace baleen::json

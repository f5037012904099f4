#include "server/case_file.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>

#include "base/json.h"

namespace baleen {
namespace {

constexpr std::string_view kAnd = " & ";

std::optional<json::Value> at(json::Value value, std::string_view path) {
  while (!path.empty()) {
    const size_t dot = std::min(path.find('.'), path.size());
    const std::string_view step = path.substr(0, dot);
    path.remove_prefix(std::min(dot + 1, path.size()));
    size_t index = 0;
    const bool is_index =
        std::from_chars(step.data(), step.data() + step.size(), index).ptr == step.data() + step.size();
    if (value.kind() == json::Kind::array && is_index) {
      if (index >= value.size()) return {};
      auto element = value.begin();
      for (size_t i = 0; i < index; ++i) ++element;
      value = element.value();
    } else if (const auto member = value.find(step); member && value.kind() == json::Kind::object) {
      value = *member;
    } else {
      return {};
    }
  }
  return value;
}

std::string text_of(const json::Value& value) {
  json::Writer writer;
  writer.copy(value);
  return writer.take();
}

std::string normalised(std::string_view json) {
  const auto document = json::Document::parse(json, json::kHttpLimits);
  return document ? text_of(document->root()) : "(not JSON) " + std::string(json);
}

std::string check_one(const json::Value& root, std::string_view check) {
  if (check.starts_with('!'))
    return at(root, check.substr(1)) ? std::string(check.substr(1)) + " is there" : "";
  const size_t equals = check.find(" = ");
  const auto found = at(root, check.substr(0, equals));
  if (!found) return std::string(check.substr(0, equals)) + " is missing";
  if (equals == check.npos) return {};
  const std::string expected = normalised(check.substr(equals + 3)), got = text_of(*found);
  return expected == got ? "" : std::string(check.substr(0, equals)) + " is " + got + ", not " + expected;
}

}  // namespace

std::string check_json(std::string_view json, std::string_view checks) {
  const auto document = json::Document::parse(json, json::kHttpLimits);
  if (!document) return "not JSON: " + std::string(json);
  while (!checks.empty()) {
    const size_t end = std::min(checks.find(kAnd), checks.size());
    if (std::string wrong = check_one(document->root(), checks.substr(0, end)); !wrong.empty()) return wrong;
    checks.remove_prefix(std::min(end + kAnd.size(), checks.size()));
  }
  return {};
}

std::string check_answer(const ProtocolCase& expected, const std::string& body,
                         const std::vector<std::string>& events) {
  size_t next = 0;
  const auto passes = [&](std::string_view checks) -> std::string {
    if (next == events.size()) return "the stream is over";
    std::string_view event = events[next];
    if (!event.starts_with("data: ") || !event.ends_with("\n\n")) return "not an event: " + events[next];
    event = event.substr(6, event.size() - 8);
    return checks == "[DONE]" ? (event == checks ? "" : "not the end: " + events[next])
                              : check_json(event, checks);
  };
  for (const std::string& line : expected.checks) {
    std::string wrong;
    if (line.starts_with("chunk* ")) {
      while (passes(std::string_view(line).substr(7)).empty()) ++next;
    } else if (line.starts_with("chunk ") || line == "[DONE]") {
      wrong = passes(line == "[DONE]" ? line : std::string_view(line).substr(6));
      ++next;
    } else {
      wrong = check_json(body, line);
    }
    if (!wrong.empty()) return line + ": " + wrong;
  }
  return next < events.size() ? "more events than expected: " + events[next] : "";
}

std::vector<ProtocolCase> read_cases(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".case") files.push_back(entry.path());
  std::ranges::sort(files);
  std::vector<ProtocolCase> cases;
  for (const auto& path : files) {
    std::ifstream file(path);
    bool open = false;
    std::string line;
    for (int number = 1; std::getline(file, line); ++number) {
      if (line.starts_with('#')) continue;
      if (line.empty()) {
        open = false;
      } else if (!open) {
        const size_t first = line.find(' '), second = std::min(line.find(' ', first + 1), line.size());
        cases.push_back({.file = path.filename().string(),
                         .line = number,
                         .method = line.substr(0, first),
                         .path = line.substr(first + 1, second - first - 1),
                         .body = line.substr(std::min(second + 1, line.size())),
                         .content_type = "application/json",
                         .checks = {}});
        open = true;
      } else if (ProtocolCase& current = cases.back(); current.status == 0) {
        current.status = std::stoi(line);
        if (const size_t space = line.find(' '); space != line.npos)
          current.content_type = line.substr(space + 1);
      } else {
        current.checks.push_back(line);
      }
    }
  }
  return cases;
}

}  // namespace baleen

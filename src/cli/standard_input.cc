#include "cli/standard_input.h"

#include <iostream>
#include <iterator>

#include "base/json.h"

namespace baleen {

std::string read_standard_input() { return {std::istreambuf_iterator<char>(std::cin), {}}; }

int answer_lines(const std::function<Result<std::string>(std::string_view line)>& answer) {
  std::ios::sync_with_stdio(false);
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto value = answer(line);
    if (value) {
      std::cout << *value << '\n';
    } else {
      json::Writer writer;
      writer.begin_object().member("error", std::string_view(value.error().message)).end_object();
      std::cout << writer.text() << '\n';
    }
    // Whoever sends line by line waits for the answer; who sends many at once pays one write for all.
    if (std::cin.rdbuf()->in_avail() <= 0) std::cout.flush();
  }
  std::cout.flush();
  return std::cout ? 0 : 1;
}

}  // namespace baleen

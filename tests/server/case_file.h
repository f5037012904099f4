// Protocol cases as text. A case is a request, the status and content type it is answered with, and checks:
//
//   # what a reader should know
//   POST /v1/chat/completions {"model": "default", …}
//   200 text/event-stream
//   chunk choices.0.delta.role = "assistant"
//   chunk* choices.0.delta.content
//   [DONE]
//
// Without a stream the checks stand alone: `error.param = "n"`. A check is a path with the JSON value it must have,
// a path that must be there, or one that must not (`!usage`). Several are joined by ` & `. `chunk` stands for one
// event, `chunk*` for as many as pass. Cases end at an empty line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace baleen {

struct ProtocolCase {
  std::string file;
  int line = 0;
  std::string method, path, body;
  int status = 0;
  std::string content_type;
  std::vector<std::string> checks;
};

/// Every *.case file of the folder, in order of name.
std::vector<ProtocolCase> read_cases(const std::string& folder);

/// Empty where the JSON text passes the checks of one line, else what is wrong.
std::string check_json(std::string_view json, std::string_view checks);

/// The same for a whole answer: one object, or the events of a stream.
std::string check_answer(const ProtocolCase& expected, const std::string& body,
                         const std::vector<std::string>& events);

}  // namespace baleen

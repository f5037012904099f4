// Assertions on our own logic, kept on in release builds. Never for input: that is what Result is for.
#pragma once

namespace baleen {

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace baleen

#define CHECK(condition)                             \
  (__builtin_expect(static_cast<bool>(condition), 1) \
       ? void()                                      \
       : ::baleen::check_failed(#condition, __FILE__, __LINE__))

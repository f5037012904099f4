// Errors that input, disk or network can cause. Our own bugs are CHECKs (check.h).
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace baleen {

/// What the caller can do about an error; the command line maps it to its exit codes (docs/ARCHITECTURE.md).
enum class ErrorKind {
  failed,     ///< the work could not be done: disk, network, memory (exit 1)
  usage,      ///< the caller asked for something that does not exist (exit 2)
  bad_input,  ///< the input file is bad; the message names field and byte offset (exit 3)
};

struct Error {
  ErrorKind kind = ErrorKind::failed;
  std::string message;  ///< one sentence for a person: what, where, what to do
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> failed(std::string message) {
  return std::unexpected(Error{ErrorKind::failed, std::move(message)});
}
inline std::unexpected<Error> wrong_usage(std::string message) {
  return std::unexpected(Error{ErrorKind::usage, std::move(message)});
}
inline std::unexpected<Error> bad_input(std::string message) {
  return std::unexpected(Error{ErrorKind::bad_input, std::move(message)});
}

/// Hands the error of a failed result on to the caller: `if (!x) return error_of(x);`
template <class T>
std::unexpected<Error> error_of(Result<T>& result) {
  return std::unexpected(std::move(result.error()));
}

}  // namespace baleen

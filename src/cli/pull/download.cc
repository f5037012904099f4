#include "cli/pull/download.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <utility>

#include "cli/pull/digest.h"
#include "cli/pull/progress.h"
#include "cli/pull/transfer.h"

namespace baleen {
namespace fs = std::filesystem;
namespace {

constexpr long kPartialContent = 206, kRangeNotSatisfiable = 416;

fs::path with_suffix(fs::path path, const char* suffix) { return path += suffix; }

/// The growing file. The lock keeps a second process away from it; it ends with the process.
class PartFile {
 public:
  static Result<PartFile> open(const fs::path& path) {
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    PartFile part(path, ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (part.fd_ < 0) return failed(path.string() + ": " + std::strerror(errno));
    if (::flock(part.fd_, LOCK_EX | LOCK_NB) != 0)
      return failed(path.string() + ": another baleen is fetching it");
    part.size_ = static_cast<uint64_t>(std::max<off_t>(::lseek(part.fd_, 0, SEEK_END), 0));
    return part;
  }
  PartFile(PartFile&& other) noexcept
      : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)), size_(other.size_) {}
  ~PartFile() {
    if (fd_ >= 0) ::close(fd_);
  }

  uint64_t size() const { return size_; }

  std::optional<std::string> append(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return path_.string() + ": " + std::strerror(errno);
      bytes.remove_prefix(static_cast<size_t>(written));
      size_ += static_cast<uint64_t>(written);
    }
    return std::nullopt;
  }

  std::optional<std::string> restart() {
    if (::ftruncate(fd_, 0) != 0 || ::lseek(fd_, 0, SEEK_SET) != 0)
      return path_.string() + ": " + std::strerror(errno);
    size_ = 0;
    return std::nullopt;
  }

  std::optional<std::string> flush() {
    if (::fsync(fd_) != 0) return path_.string() + ": " + std::strerror(errno);
    return std::nullopt;
  }

 private:
  PartFile(fs::path path, int fd) : path_(std::move(path)), fd_(fd) {}
  fs::path path_;
  int fd_;
  uint64_t size_ = 0;
};

/// What tells two versions of a file apart for If-Range (RFC 9110, 13.1.5): a strong entity tag or a date.
std::string validator(const ResponseHead& head) {
  if (!head.etag.empty() && !head.etag.starts_with("W/")) return head.etag;
  return head.last_modified;
}

std::string read_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// Fetches into the part file; knows how an answer relates to what is there already.
class PartDownload {
 public:
  PartDownload(const Download& download, PartFile part)
      : download_(download),
        part_(std::move(part)),
        from_(with_suffix(download.target, ".part.from")),
        progress_(download.target.filename().string()) {}

  Result<void> run() {
    // Without a way to know that the file is still the same one, what is there is worth nothing.
    const std::string known = read_line(from_);
    if (part_.size() > 0 && known.empty() && download_.sha256.empty()) {
      if (auto problem = part_.restart()) return failed(*problem);
    }
    Result<void> done = attempt(known);
    if (done || status_ != kRangeNotSatisfiable) return done;
    if (range_total_ == part_.size()) return {};  // it was complete when the last attempt ended
    if (auto problem = part_.restart()) return failed(*problem);
    return attempt("");
  }

  const std::string& linked_sha256() const { return linked_sha256_; }
  PartFile& part() { return part_; }

 private:
  Result<void> attempt(const std::string& known) {
    begin_ = part_.size();
    started_ = false;
    Transfer transfer(download_.url, download_.token, [this, &transfer](std::string_view bytes) {
      if (!started_) {
        if (auto problem = start(transfer)) return problem;
      }
      return part_.append(bytes);
    });
    if (begin_ > 0) transfer.ask_for_rest(begin_, known);
    transfer.show([this](uint64_t received) { progress_.update(begin_ + received, total_, begin_); });
    Result<void> done = transfer.run();
    status_ = transfer.status();
    range_total_ = transfer.head().range_total;
    note_linked_hash(transfer.head());
    return done;
  }

  /// The first bytes of the body have come: is it the rest that was asked for, or the whole file?
  std::optional<std::string> start(const Transfer& transfer) {
    started_ = true;
    const ResponseHead& head = transfer.head();
    if (transfer.status() == kPartialContent) {
      if (head.range_begin != begin_)
        return download_.url + ": the server sent another part than was asked for";
    } else if (begin_ > 0) {
      begin_ = 0;
      if (auto problem = part_.restart()) return problem;
    }
    std::ofstream(from_) << validator(head) << '\n';
    const auto length = transfer.content_length();
    if (!length) return std::nullopt;
    total_ = begin_ + *length;
    std::error_code error;
    const auto space = fs::space(download_.target.parent_path(), error);
    if (!error && space.available < *length)
      return download_.target.string() + ": " + std::to_string(*length) +
             " bytes are to come, the disk has room for " + std::to_string(space.available);
    return std::nullopt;
  }

  void note_linked_hash(const ResponseHead& head) {
    std::string_view tag = head.linked_etag;
    if (tag.size() > 2 && tag.starts_with('"') && tag.ends_with('"')) tag = tag.substr(1, tag.size() - 2);
    if (is_sha256(tag)) linked_sha256_ = tag;
  }

  const Download& download_;
  PartFile part_;
  fs::path from_;
  ProgressLine progress_;
  uint64_t begin_ = 0;
  std::optional<uint64_t> total_, range_total_;
  bool started_ = false;
  long status_ = 0;
  std::string linked_sha256_;
};

}  // namespace

Result<std::string> download_file(const Download& download) {
  const fs::path part_path = with_suffix(download.target, ".part");
  auto part = PartFile::open(part_path);
  if (!part) return error_of(part);
  PartDownload run(download, std::move(*part));
  if (auto done = run.run(); !done) return error_of(done);
  if (auto problem = run.part().flush()) return failed(*problem);
  auto sha256 = sha256_of(part_path);
  if (!sha256) return error_of(sha256);
  const std::string& expected = download.sha256.empty() ? run.linked_sha256() : download.sha256;
  std::error_code error;
  fs::remove(with_suffix(part_path, ".from"), error);
  if (!expected.empty() && *sha256 != expected) {
    fs::remove(part_path, error);
    return failed(download.url + ": the file's SHA-256 is " + *sha256 + ", not " + expected +
                  ": it has been removed");
  }
  fs::rename(part_path, download.target, error);
  if (error) return failed(download.target.string() + ": " + error.message());
  return sha256;
}

Result<std::string> download_text(const std::string& url, const std::string& token, size_t max_bytes) {
  std::string text;
  Transfer transfer(url, token, [&](std::string_view part) -> std::optional<std::string> {
    if (part.size() > max_bytes - text.size())
      return url + ": more than " + std::to_string(max_bytes) + " bytes";
    text += part;
    return std::nullopt;
  });
  if (auto done = transfer.run(); !done) return error_of(done);
  return text;
}

std::string url_segment(const std::string& text) {
  const std::unique_ptr<char, void (*)(void*)> escaped(
      curl_easy_escape(nullptr, text.c_str(), static_cast<int>(text.size())), &curl_free);
  return escaped == nullptr ? "" : escaped.get();
}

}  // namespace baleen

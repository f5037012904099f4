// What Ctrl-C does: it stops an answer while there is one, else the program.
#pragma once

#include <functional>
#include <mutex>
#include <thread>

namespace baleen {

/// Takes SIGINT from all threads that are started after it; at most one at a time.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  /// From now on the first Ctrl-C calls `stop` (on a thread of its own) and a second one ends the program.
  void begin(std::function<void()> stop);
  /// `stop` will not be called any more. True where it was.
  bool end();

 private:
  void watch();
  void on_signal();

  int signals_ = -1, quit_ = -1;  // signalfd, eventfd
  std::mutex mutex_;
  std::function<void()> stop_;
  bool stopped_ = false;
  std::thread watcher_;
};

}  // namespace baleen

#include "cli/run/interrupt.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <utility>

#include "base/check.h"

namespace baleen {
namespace {

// What a shell reports of a program that Ctrl-C has ended: 128 + SIGINT.
constexpr int kInterrupted = 130;

sigset_t only_sigint() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  return signals;
}

}  // namespace

Interrupt::Interrupt() {
  const sigset_t signals = only_sigint();
  CHECK(pthread_sigmask(SIG_BLOCK, &signals, nullptr) == 0);
  signals_ = signalfd(-1, &signals, SFD_CLOEXEC);
  quit_ = eventfd(0, EFD_CLOEXEC);
  CHECK(signals_ >= 0 && quit_ >= 0);
  watcher_ = std::thread([this] { watch(); });
}

Interrupt::~Interrupt() {
  const uint64_t one = 1;
  CHECK(write(quit_, &one, sizeof(one)) == sizeof(one));
  watcher_.join();
  close(signals_);
  close(quit_);
  const sigset_t signals = only_sigint();
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

void Interrupt::watch() {
  for (;;) {
    std::array<pollfd, 2> files{{{signals_, POLLIN, 0}, {quit_, POLLIN, 0}}};
    if (poll(files.data(), files.size(), -1) < 0) continue;
    if (files[1].revents != 0) return;
    signalfd_siginfo signal{};
    if (read(signals_, &signal, sizeof(signal)) == sizeof(signal)) on_signal();
  }
}

void Interrupt::on_signal() {
  std::scoped_lock lock(mutex_);
  if (!stop_ || stopped_) _exit(kInterrupted);
  stopped_ = true;
  stop_();
}

void Interrupt::begin(std::function<void()> stop) {
  std::scoped_lock lock(mutex_);
  stop_ = std::move(stop);
  stopped_ = false;
}

bool Interrupt::end() {
  std::scoped_lock lock(mutex_);
  stop_ = nullptr;
  return std::exchange(stopped_, false);
}

}  // namespace baleen

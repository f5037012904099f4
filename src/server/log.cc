#include "server/log.h"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace baleen {

void start_log() {
  spdlog::set_default_logger(spdlog::create_async_nb<spdlog::sinks::stderr_sink_mt>("baleen"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
}

void finish_log() { spdlog::shutdown(); }

}  // namespace baleen

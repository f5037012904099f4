// OpenAI's endpoints: requests become generations, their events become OpenAI's objects.
#pragma once

#include <memory>
#include <string_view>

#include "server/http/exchange.h"
#include "server/served_models.h"
#include "server/task_thread.h"

namespace baleen::openai {

class Api {
 public:
  /// Both must outlive the exchanges that are handed in.
  Api(const ServedModels& models, TaskThread& tasks) : models_(models), tasks_(tasks) {}

  void chat_completions(const std::shared_ptr<Exchange>& exchange);
  void completions(const std::shared_ptr<Exchange>& exchange);
  void list_models(Exchange& exchange) const;
  void show_model(Exchange& exchange, std::string_view name) const;

 private:
  const ServedModels& models_;
  TaskThread& tasks_;
};

}  // namespace baleen::openai

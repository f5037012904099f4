// What the server answers where: the routes of all protocols, health and pages.
#pragma once

#include "server/http/exchange.h"
#include "server/openai/api.h"
#include "server/served_models.h"

namespace baleen {

class Service final : public Responder {
 public:
  /// Both must outlive the exchanges that are handed in.
  Service(const ServedModels& models, TaskThread& tasks) : models_(models), openai_(models, tasks) {}

  void answer(std::shared_ptr<Exchange> exchange) override;
  HttpResponse refuse(int status, std::string_view reason) override;

 private:
  void answer_health(Exchange& exchange) const;

  const ServedModels& models_;
  openai::Api openai_;
};

}  // namespace baleen

// Requests and responses as protocols see them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace baleen {

struct HttpField {
  std::string name;  ///< lower case
  std::string value;
};

struct HttpRequest {
  std::string method;
  std::string path;   ///< percent-decoded, without the query
  std::string query;  ///< as sent, without '?'
  std::vector<HttpField> fields;
  std::string body;
  std::string id;                     ///< ours, told in the response
  std::shared_ptr<const void> lease;  ///< the body's share of HttpLimits::all_bodies_bytes

  /// The first field of that (lower-case) name; empty where there is none.
  std::string_view field(std::string_view name) const {
    for (const HttpField& f : fields)
      if (f.name == name) return f.value;
    return {};
  }
};

/// Length, connection, date and request id are the transport's to add.
struct HttpResponse {
  int status = 200;
  std::string content_type = {};
  std::string body = {};
  std::vector<HttpField> fields = {};
};

}  // namespace baleen

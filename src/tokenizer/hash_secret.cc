#include "tokenizer/hash_secret.h"

#include <sys/random.h>

#include "base/check.h"

namespace baleen {

uint64_t hash_secret() {
  uint64_t secret = 0;
  CHECK(getrandom(&secret, sizeof(secret), 0) == sizeof(secret));
  return secret | 1;
}

}  // namespace baleen

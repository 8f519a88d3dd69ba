// Numbers of things, for people. Pure.
#ifndef WINDPROOF_SERVICES_WINDPROOF_COUNT_TEXT_H_
#define WINDPROOF_SERVICES_WINDPROOF_COUNT_TEXT_H_

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace windproof {

// "1 record", "2 records", "0 records".
inline std::string CountText(int64_t count, absl::string_view thing) {
  return absl::StrCat(count, " ", thing, count == 1 ? "" : "s");
}

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDPROOF_COUNT_TEXT_H_

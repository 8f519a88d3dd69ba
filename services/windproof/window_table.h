// Closed windows as a table for people.
//
// Pure.
#ifndef WINDPROOF_SERVICES_WINDPROOF_WINDOW_TABLE_H_
#define WINDPROOF_SERVICES_WINDPROOF_WINDOW_TABLE_H_

#include <string>

#include "proto/windproof/v1/window_hash.pb.h"

namespace windproof {

// PENDING until the anchor has said anything else.
std::string StateName(const v1::Window& window);

// Lines with their newline.
std::string WindowTableHead();
std::string WindowTableRow(const v1::Window& window);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_WINDPROOF_WINDOW_TABLE_H_

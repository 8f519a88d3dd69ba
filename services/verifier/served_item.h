// Items as the anchor serves them, as the checks see them: views into the
// message, which must outlive them. Pure.
#ifndef WINDPROOF_SERVICES_VERIFIER_SERVED_ITEM_H_
#define WINDPROOF_SERVICES_VERIFIER_SERVED_ITEM_H_

#include "proto/windproof/v1/checkpoint.pb.h"
#include "services/verifier/anchor_check.h"
#include "services/verifier/chain_item_check.h"

namespace windproof {

ServedItem ServedItemOf(const v1::LedgerItem& item);
ServedPlace ServedPlaceOf(const v1::LedgerItem& item);

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_VERIFIER_SERVED_ITEM_H_

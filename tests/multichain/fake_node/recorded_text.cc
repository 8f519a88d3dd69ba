#include "tests/multichain/fake_node/recorded_text.h"

namespace windproof::fake_node {
namespace {

constexpr char kParams[] =
    R"({"chain-protocol":"multichain","chain-description":"MultiChain wxchain")"
    R"(,"root-stream-name":"root","root-stream-open":true)"
    R"(,"chain-is-testnet":false,"target-block-time":5)"
    R"(,"maximum-block-size":8388608,"maximum-chunk-size":1048576)"
    R"(,"maximum-chunk-count":1024,"default-network-port":17446)"
    R"(,"default-rpc-port":17447,"anyone-can-connect":false)"
    R"(,"anyone-can-send":false,"anyone-can-receive":false)"
    R"(,"anyone-can-receive-empty":true,"anyone-can-create":false)"
    R"(,"anyone-can-issue":false,"anyone-can-mine":false)"
    R"(,"anyone-can-activate":false,"anyone-can-admin":false)"
    R"(,"support-miner-precheck":true,"allow-arbitrary-outputs":false)"
    R"(,"allow-p2sh-outputs":true,"allow-multisig-outputs":true)"
    R"(,"setup-first-blocks":60,"mining-diversity":0.3)"
    R"(,"admin-consensus-upgrade":0.5,"admin-consensus-txfilter":0.5)"
    R"(,"admin-consensus-admin":0.5,"admin-consensus-activate":0.5)"
    R"(,"admin-consensus-mine":0.5,"admin-consensus-create":0)"
    R"(,"admin-consensus-issue":0,"lock-admin-mine-rounds":10)"
    R"(,"mining-requires-peers":true,"mine-empty-rounds":10,"mining-turnover":0.5)"
    R"(,"first-block-reward":-1,"initial-block-reward":0)"
    R"(,"reward-halving-interval":52560000,"reward-spendable-delay":1)"
    R"(,"minimum-per-output":0,"maximum-per-output":100000000000000)"
    R"(,"minimum-offchain-fee":0,"minimum-relay-fee":0)"
    R"(,"native-currency-multiple":100000000,"skip-pow-check":false)"
    R"(,"pow-minimum-bits":8,"target-adjust-freq":-1)"
    R"(,"allow-min-difficulty-blocks":false,"only-accept-std-txs":true)"
    R"(,"max-std-tx-size":4194304,"max-std-op-returns-count":32)"
    R"(,"max-std-op-return-size":2097152,"max-std-op-drops-count":5)"
    R"(,"max-std-element-size":40000,"chain-name":"wxchain")"
    R"(,"protocol-version":20013,"network-message-start":"f5fcc0ec")"
    R"(,"address-pubkeyhash-version":"00037c77")"
    R"(,"address-scripthash-version":"05b5dcf4","private-key-version":"80c1a292")"
    R"(,"address-checksum-value":"fa74f8ae")"
    R"(,"genesis-pubkey":"02dee1003b128991f84391addd31b49e03d8b7b897e42a453d82d045602ff7783f")"
    R"(,"genesis-version":1,"genesis-timestamp":1795448839)"
    R"(,"genesis-nbits":536936447,"genesis-nonce":272)"
    R"(,"genesis-pubkey-hash":"6d82fde4800e71e8c80aeb4cb7e0b3e93b0a3cce")"
    R"(,"genesis-hash":"004fde025c5393aa183206e35f60679e4cc42ffb7f3d68a90997e302ccfca7ec")"
    R"(,"chain-params-hash":"8ac59e0fe102121009f99e599fc008ac1f6b1db0649b6c4085f68357ed0c6925"})";

constexpr char kRuntimeParams[] =
    R"({"port":17446,"reindex":false,"rescan":false,"txindex":true)"
    R"(,"autocombineminconf":1,"autocombinemininputs":50)"
    R"(,"autocombinemaxinputs":100,"autocombinedelay":1,"autocombinesuspend":15)"
    R"(,"autosubscribe":"")"
    R"(,"handshakelocal":"1FoTedEjTTQaHYbGiX5uAs9uzkvs6QFtAGEWYk","bantx":"")"
    R"(,"lockblock":"","hideknownopdrops":false,"maxshowndata":16384)"
    R"(,"maxqueryscanitems":5000,"v1apicompatible":false)"
    R"(,"miningrequirespeers":true,"mineemptyrounds":10,"miningturnover":0.5)"
    R"(,"lockadminminerounds":10,"gen":true,"genproclimit":1)"
    R"(,"lockinlinemetadata":true,"acceptfiltertimeout":100)"
    R"(,"sendfiltertimeout":20,"debug":""})";

constexpr char kPublishHelp[] =
    R"(publish "stream-identifier" "key"|keys "data-hex"|data-obj "options" 

Publishes stream item

Arguments:
1. "stream-identifier"              (string, required) Stream identifier - one of: create txid, stream reference, stream name.
2. "key"                            (string, required) Item key
 or
2. keys                             (array, required) Array of item keys
3. "data-hex"                       (string, required) Data hex string
 or
3. data-json                        (object, required) JSON data object
    {
      "json" : data-json            (object, required) Valid JSON object
    }
 or
3. data-text                        (object, required) Text data object
    {
      "text" : "data-text"          (string, required) Data string
    }
 or
3. data-cached                      (object, required) Binary raw data created with appendbinarycache
    {
      "cache" : "identifier"        (string, required) Binary cache identifier
    }
4. "options"                        (string, optional) Should be "offchain" or omitted

Result:
"transactionid"                     (string) The transaction id.

Examples:
> multichain-cli wxchain publish test "hello world" 48656C6C6F20576F726C64210A
> curl --user myusername --data-binary '{"jsonrpc": "1.0", "id":"curltest", "method": "publish", "params": ["test", "hello world", "48656C6C6F20576F726C64210A"] }' -H 'content-type: text/plain;' http://127.0.0.1:17447
)";

}  // namespace

absl::string_view RecordedParams() { return kParams; }
absl::string_view RecordedRuntimeParams() { return kRuntimeParams; }
absl::string_view RecordedPublishHelp() { return kPublishHelp; }

}  // namespace windproof::fake_node

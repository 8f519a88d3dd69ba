// The stand-in node as a process. README.md says how to use it.
#include <csignal>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iostream>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "tests/multichain/fake_node/control.h"
#include "tests/multichain/fake_node/fake_node.h"

namespace windproof::fake_node {
namespace {

constexpr char kUsage[] =
    "usage: fake_node [--listen 127.0.0.1:PORT] [--data-dir DIR]\n"
    "         [--chain-name NAME] [--user USER]\n"
    "         [--password PASSWORD | --password-file FILE]\n"
    "         [--target-block-time MS] [--mine-empty-rounds N]\n"
    "         [--wallet SEED] [--initial-blocks N] [--warm-up MS]\n";

absl::Status ReadNumber(absl::string_view flag, absl::string_view value,
                        int64_t* number) {
  if (absl::SimpleAtoi(value, number) && *number >= 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(flag, " is '", value, "'; a number from 0 is accepted"));
}

absl::Status ReadFlag(absl::string_view flag, const std::string& value,
                      FakeNode::Options* options) {
  int64_t number = 0;
  absl::Status status;
  if (flag == "--listen") {
    absl::string_view port = value;
    if (!absl::ConsumePrefix(&port, "127.0.0.1:")) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--listen is '", value, "'; 127.0.0.1:PORT is accepted"));
    }
    status = ReadNumber(flag, port, &number);
    options->port = static_cast<int>(number);
  } else if (flag == "--data-dir") {
    options->data_dir = value;
  } else if (flag == "--chain-name") {
    options->chain_name = value;
  } else if (flag == "--user") {
    options->user = value;
  } else if (flag == "--password") {
    options->password = value;
  } else if (flag == "--password-file") {
    std::ifstream file(value);
    if (!std::getline(file, options->password)) {
      return absl::NotFoundError("--password-file: cannot read " + value);
    }
  } else if (flag == "--wallet") {
    options->wallet_seed = value;
  } else if (flag == "--target-block-time") {
    status = ReadNumber(flag, value, &options->target_block_ms);
  } else if (flag == "--warm-up") {
    status = ReadNumber(flag, value, &options->warm_up_ms);
  } else if (flag == "--mine-empty-rounds") {
    status = ReadNumber(flag, value, &number);
    options->mine_empty_rounds = static_cast<int>(number);
  } else if (flag == "--initial-blocks") {
    status = ReadNumber(flag, value, &number);
    options->initial_blocks = static_cast<uint32_t>(number);
  } else {
    status =
        absl::InvalidArgumentError(absl::StrCat("unknown flag '", flag, "'"));
  }
  return status;
}

int Run(int argc, char** argv) {
  // Before any thread: they all leave the signals to the wait below.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  FakeNode::Options options;
  options.target_block_ms = 5000;
  for (int i = 1; i < argc; i += 2) {
    const absl::Status status = i + 1 < argc
                                    ? ReadFlag(argv[i], argv[i + 1], &options)
                                    : absl::InvalidArgumentError(absl::StrCat(
                                          argv[i], " takes a value"));
    if (!status.ok()) {
      std::cerr << "fake_node: " << status.message() << "\n" << kUsage;
      return 2;
    }
  }
  const absl::StatusOr<std::unique_ptr<FakeNode>> node =
      FakeNode::Start(options);
  if (!node.ok()) {
    std::cerr << "fake_node: " << node.status().message() << "\n";
    return 1;
  }
  const auto control = StartControl(node->get());
  if (!control.ok()) {
    std::cerr << "fake_node: " << control.status().message() << "\n";
    return 1;
  }
  std::cout << "READY " << (*node)->url()
            << " CONTROL http://127.0.0.1:" << (*control)->port() << "/control"
            << std::endl;
  const timespec moment{0, 100'000'000};
  while (sigtimedwait(&signals, nullptr, &moment) < 0) {
    if ((*node)->stopping()) break;
  }
  return 0;
}

}  // namespace
}  // namespace windproof::fake_node

int main(int argc, char** argv) {
  return windproof::fake_node::Run(argc, argv);
}

"""Holds I/O, clocks, threads and services out of the pure part.

    check.py deps QUERY_RESULT PURE_LABELS BUILD_FILE...
    check.py includes SOURCE...
    check.py selftest

The pure part decides what is hashed: promise 2, "same log, same bytes", rests
on its having nothing else to depend on than what it is given.
"""

import ast
import re
import sys

# All that the pure part may reach outside of itself. Abseil's status, strings,
# containers and types; SHA-256 and Ed25519; a parser, a number formatter.
ALLOWED_SYSTEM = {
    "absl_base",
    "absl_btree",
    "absl_hash_containers",
    "absl_status",
    "absl_strings",
    "absl_types",
    "double_conversion",
    "openssl_crypto",
    "simdjson",
    "sodium",
}

FORBIDDEN_INCLUDES = re.compile(
    r"(chrono|ctime|time\.h|thread|stop_token|mutex|shared_mutex|condition_variable|future"
    r"|atomic|semaphore|latch|barrier|fstream|filesystem|iostream|cstdio|stdio\.h|syncstream"
    r"|locale|clocale|locale\.h|random|unistd\.h|fcntl\.h|pthread\.h|dirent\.h|sys/.*|linux/.*"
    r"|netinet/.*|arpa/.*"
    r"|absl/time/clock\.h|absl/synchronization/.*|absl/random/.*|absl/flags/.*"
    r"|grpc.*|google/.*|rocksdb/.*|librdkafka/.*|curl/.*|zip\.h|httplib\.h|CLI/.*"
    r"|spdlog/.*|prometheus/.*|.*\.pb\.h)"
)
FORBIDDEN_NAMES = re.compile(
    r"\b(system_clock|steady_clock|high_resolution_clock|absl::Now|GetCurrentTimeNanos"
    r"|clock_gettime|gettimeofday|std::time|time\s*\(\s*(nullptr|NULL|0)\s*\)|localtime\w*"
    r"|random_device|std::rand|getenv|secure_getenv|setlocale|std::locale|std::call_once"
    r"|fopen|std::system|printf|fprintf|std::cout|std::cerr|std::cin)\b"
)


def check_deps(labels, pure, build_files):
    """Problems of the labels that the pure targets depend on.

    `pure`: labels of those targets. `build_files`: name -> text, of the packages
    which are pure as a whole.
    """
    problems = []
    ours = set()
    packages = {"//" + name.rsplit("/", 1)[0] for name in build_files}
    for label in labels:
        system = re.fullmatch(r"//bazel/system:(\w+)", label)
        if label.startswith("//bazel/system:"):
            if not system or system.group(1) not in ALLOWED_SYSTEM:
                problems.append(f"the pure part reaches {label}")
        elif label in pure or label.split(":")[0] in packages:
            ours.add(label)
        elif label.startswith("//"):
            problems.append(f"the pure part reaches {label}, which is not part of it")
    for name, text in build_files.items():
        package = name.rsplit("/", 1)[0]
        for library in libraries(text):
            if f"//{package}:{library}" not in ours:
                problems.append(f"tests/purity/BUILD.bazel does not name //{package}:{library}")
    return problems


def libraries(build_text):
    """Names of a BUILD file's cc_library targets that are no help for tests."""
    for node in ast.walk(ast.parse(build_text)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "cc_library":
            arguments = {argument.arg: argument.value for argument in node.keywords}
            testonly = arguments.get("testonly")
            if not (testonly and ast.literal_eval(testonly)):
                yield ast.literal_eval(arguments["name"])


def check_source(name, text):
    """Problems of one source file."""
    problems = []
    # Comments and literals say what they like; line numbers stay.
    code = re.sub(
        r"//[^\n]*|/\*.*?\*/|(?<![\w'])'(\\.|[^'\\\n])*'|(#include\s*)?\"(\\.|[^\"\\\n])*\"",
        lambda match: match.group(0)
        if match.group(2)
        else re.sub(r"[^\n]", " ", match.group(0)),
        text,
        flags=re.DOTALL,
    )
    for number, line in enumerate(code.split("\n"), 1):
        include = re.match(r"\s*#\s*include\s*[<\"]([^>\"]+)[>\"]", line)
        if include:
            if FORBIDDEN_INCLUDES.fullmatch(include.group(1)):
                problems.append(f"{name}:{number}: includes {include.group(1)}")
        else:
            used = FORBIDDEN_NAMES.search(line)
            if used:
                problems.append(f"{name}:{number}: uses {used.group(0)}")
    return problems


def selftest():
    problems = []

    def expect(what, found, count):
        if len(found) != count:
            problems.append(f"selftest: {what}: {found}, expected {count}")

    build = {"common/merkle/BUILD.bazel": 'cc_library(name = "tree", srcs = ["tree.cc"])'}
    tree = "//common/merkle:tree"
    help_only = {"common/merkle/BUILD.bazel": 'cc_library(name = "x", testonly = True)'}
    head = "//services/anchor:head"
    expect("pure", check_deps([tree, "//bazel/system:absl_strings"], [tree], build), 0)
    expect("gRPC", check_deps([tree, "//bazel/system:grpc"], [tree], build), 1)
    expect("stubs", check_deps([tree, "//proto/windproof/v1:anchor_cc_grpc"], [tree], build), 1)
    expect("clock", check_deps([tree, "//bazel/system:absl_time"], [tree], build), 1)
    expect("of a service", check_deps([tree, head], [tree], build), 1)
    expect("of a service, named", check_deps([tree, head], [tree, head], build), 0)
    expect("not named", check_deps(["//common/merkle:proof"], [tree], build), 1)
    expect("testonly", check_deps([], [], help_only), 0)

    expect("clean", check_source("a", '#include <string>\n#include "absl/time/time.h"\n'), 0)
    for header in ("<mutex>", "<fstream>", '"absl/time/clock.h"', "<grpcpp/grpcpp.h>"):
        expect(header, check_source("a", f"#include {header}\n"), 1)
    expect("call", check_source("a", "auto t = std::chrono::steady_clock::now();"), 1)
    expect("comment", check_source("a", "// no getenv here\n/* nor\n getenv */ int a;"), 0)
    expect("literal", check_source("a", "auto a = \"getenv\"; auto b = '\"'; int c = 1'000;"), 0)
    expect("after", check_source("a", "auto b = '\"'; getenv(\"x\");"), 1)
    return problems


def main():
    mode, arguments = sys.argv[1], sys.argv[2:]
    if mode == "deps":
        with open(arguments[0], encoding="utf-8") as file:
            labels = file.read().split()
        pure = arguments[1].split(",")
        builds = {}
        for name in arguments[2:]:
            with open(name, encoding="utf-8") as file:
                builds[name] = file.read()
        if not builds or not set(pure) <= set(labels):
            problems = ["the query did not find the pure targets"]
        else:
            problems = check_deps(labels, pure, builds)
    elif mode == "includes":
        problems = [] if arguments else ["no sources were given"]
        for name in arguments:
            with open(name, encoding="utf-8") as file:
                problems += check_source(name, file.read())
    elif mode == "selftest":
        problems = selftest()
    else:
        problems = [f"there is no check {mode}"]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

"""A test against faults of Kafka, for each Kafka that it must hold on."""

def kafka_fault_test(name, srcs, deps, **kwargs):
    """Makes the test on the broker of every day, and NAME_old on the older one.

    Args:
      name: of the first of the two.
      srcs: of both.
      deps: of both.
      **kwargs: those of both cc_tests.
    """
    native.cc_library(
        name = name + "_lib",
        testonly = True,
        srcs = srcs,
        alwayslink = True,
        deps = deps,
    )
    for suffix, env in [("", {}), ("_old", {"WINDPROOF_BROKER": "old"})]:
        native.cc_test(
            name = name + suffix,
            env = env,
            timeout = "long",
            deps = [":" + name + "_lib", "//bazel/system:gtest_main"],
            **kwargs
        )

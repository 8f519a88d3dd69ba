"""Libraries of the operating system as Bazel targets."""

def system_library(name, libs = [], deps = [], defines = [], always_linked = False, **kwargs):
    """A library that Debian installs: headers in /usr/include, code in the linker's path.

    Args:
      name: target name.
      libs: names for the linker, without -l, dependents first.
      deps: system libraries that this one needs.
      defines: macros that every user of the headers must see, as the library's .pc file says.
      always_linked: link shared libraries even when no symbol of theirs is used directly.
      **kwargs: passed on to cc_library.
    """
    linkopts = []
    if libs:
        # Only what is used becomes a run-time dependency, which keeps images small.
        linkopts = ["-Wl,--push-state," + ("--no-as-needed" if always_linked else "--as-needed")]
        linkopts += ["-l" + lib for lib in libs]
        linkopts += ["-Wl,--pop-state"]
    native.cc_library(
        name = name,
        defines = defines,
        linkopts = linkopts,
        deps = deps,
        **kwargs
    )

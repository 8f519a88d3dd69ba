"""clang-tidy as an aspect: one cached action for each .cc file.

    bazel build //... \
        --aspects=//bazel:clang_tidy.bzl%clang_tidy_aspect \
        --output_groups=clang_tidy --keep_going

An action fails when clang-tidy finds something, and prints it. Headers are checked where a .cc file
includes them. Left out are tests, which would take longer to check than to build and run, and
targets tagged "generated" or "no-clang-tidy".
"""

_SKIP_TAGS = ["generated", "no-clang-tidy"]

def _clang_tidy_aspect_impl(target, ctx):
    if CcInfo not in target or not hasattr(ctx.rule.attr, "srcs"):
        return []
    if ctx.rule.attr.testonly or ctx.rule.kind == "cc_test":
        return []
    for tag in _SKIP_TAGS:
        if tag in ctx.rule.attr.tags:
            return []

    context = target[CcInfo].compilation_context
    flags = ["-std=c++20", "-Wall", "-Wextra", "-Wthread-safety", "-Wno-missing-field-initializers"]
    flags += ["-D" + define for define in context.defines.to_list() + context.local_defines.to_list()]
    for path in context.quote_includes.to_list():
        # Generated headers count as system headers: what is in them is not ours to correct.
        flags += ["-isystem" if path.startswith("bazel-out/") else "-iquote", path]
    for path in context.includes.to_list():
        flags += ["-I", path]
    for path in context.system_includes.to_list():
        flags += ["-isystem", path]
    flags += [opt for opt in getattr(ctx.rule.attr, "copts", []) if opt[:2] in ["-D", "-I", "-W"]]

    reports = []
    local_headers = [
        file
        for attribute in ["srcs", "hdrs"]
        for src in getattr(ctx.rule.attr, attribute, [])
        for file in src.files.to_list()
        if file.extension == "h"
    ]
    for src in [file for src in ctx.rule.attr.srcs for file in src.files.to_list()]:
        if not src.is_source or src.extension not in ["cc", "cpp"]:
            continue
        report = ctx.actions.declare_file("%s.%s.clang_tidy" % (src.basename, ctx.rule.attr.name))
        args = ctx.actions.args()
        args.add(report)
        args.add(ctx.file._config)
        args.add(src)
        args.add_all(flags)
        ctx.actions.run(
            executable = ctx.executable._run,
            arguments = [args],
            inputs = depset(
                [src, ctx.file._config] + local_headers,
                transitive = [context.headers],
            ),
            outputs = [report],
            mnemonic = "ClangTidy",
            progress_message = "Checking %s" % src.short_path,
        )
        reports.append(report)
    return [OutputGroupInfo(clang_tidy = depset(reports))]

clang_tidy_aspect = aspect(
    implementation = _clang_tidy_aspect_impl,
    doc = "Runs clang-tidy-14 over the .cc files of a C++ target.",
    attrs = {
        "_config": attr.label(default = "//:.clang-tidy", allow_single_file = True),
        "_run": attr.label(default = "//bazel:clang_tidy", executable = True, cfg = "exec"),
    },
)

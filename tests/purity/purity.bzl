"""All of our own sources that a C++ target is built from."""

_SourcesInfo = provider(fields = {"files": "depset of the target's sources, and of its dependencies'"})

def _sources_aspect_impl(target, ctx):
    if target.label.package == "bazel/system":
        return [_SourcesInfo(files = depset())]
    return [_SourcesInfo(files = depset(
        [
            file
            for attribute in ["srcs", "hdrs", "textual_hdrs"]
            for file in getattr(ctx.rule.files, attribute, [])
        ],
        transitive = [dep[_SourcesInfo].files for dep in getattr(ctx.rule.attr, "deps", [])],
    ))]

_sources_aspect = aspect(
    implementation = _sources_aspect_impl,
    attr_aspects = ["deps"],
)

def _transitive_sources_impl(ctx):
    files = depset(transitive = [dep[_SourcesInfo].files for dep in ctx.attr.deps])
    return [DefaultInfo(files = files, runfiles = ctx.runfiles(transitive_files = files))]

transitive_sources = rule(
    implementation = _transitive_sources_impl,
    attrs = {"deps": attr.label_list(providers = [CcInfo], aspects = [_sources_aspect])},
)

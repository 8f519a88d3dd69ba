"""C++ code from protocol buffers, with the protoc and the gRPC plugin of the operating system.

    windproof_proto(
        name = "window_cc_proto",
        srcs = ["window.proto"],
        deps = [":common_cc_proto"],        # the windproof_proto targets that it imports
    )

    windproof_grpc(
        name = "anchor_cc_grpc",
        srcs = ["anchor.proto"],            # the files with a service
        deps = [":anchor_cc_proto"],        # their messages
    )

A .proto file is imported by its path from the workspace root, and its header is included by that
path: proto/windproof/v1/window.pb.h, proto/windproof/v1/anchor.grpc.pb.h. Messages and stubs are
separate targets, so that what only needs messages does not reach gRPC.
google/protobuf/*.proto are there without a dependency.
"""

_ProtoFilesInfo = provider(
    doc = "The .proto files of a windproof_proto target.",
    fields = {"transitive_srcs": "depset of the target's .proto files and of all that they import"},
)

def _protoc_impl(ctx):
    srcs = depset(
        ctx.files.srcs,
        transitive = [dep[_ProtoFilesInfo].transitive_srcs for dep in ctx.attr.deps],
    )
    headers = []
    sources = []
    mocks = []
    for src in ctx.files.srcs:
        if not src.is_source or src.owner.package != ctx.label.package:
            fail("%s is not a source file of this package" % src.short_path)
        stem = src.basename[:-len(".proto")]
        middle = ".grpc.pb" if ctx.attr.grpc else ".pb"
        outs = [
            ctx.actions.declare_file(stem + middle + ".h", sibling = src),
            ctx.actions.declare_file(stem + middle + ".cc", sibling = src),
        ]
        headers.append(outs[0])
        sources.append(outs[1])

        args = ctx.actions.args()
        args.add("--proto_path=.")
        args.add("--proto_path=/usr/include")
        if ctx.attr.grpc:
            mocks.append(ctx.actions.declare_file(stem + "_mock.grpc.pb.h", sibling = src))
            outs.append(mocks[-1])
            args.add("--plugin=protoc-gen-grpc=/usr/bin/grpc_cpp_plugin")
            args.add("--grpc_out=generate_mock_code=true:" + ctx.bin_dir.path)
        else:
            args.add("--cpp_out=" + ctx.bin_dir.path)
        args.add(src.path)

        ctx.actions.run(
            executable = "/usr/bin/protoc",
            arguments = [args],
            inputs = srcs,
            outputs = outs,
            mnemonic = "Protoc",
            progress_message = "Generating C++ from %s" % src.short_path,
        )
    return [
        DefaultInfo(files = depset(headers + sources)),
        OutputGroupInfo(
            headers = depset(headers),
            sources = depset(sources),
            mocks = depset(mocks),
        ),
        _ProtoFilesInfo(transitive_srcs = srcs),
    ]

_protoc = rule(
    implementation = _protoc_impl,
    doc = "Runs protoc once for each file of srcs.",
    attrs = {
        "srcs": attr.label_list(allow_files = [".proto"], mandatory = True, allow_empty = False),
        "deps": attr.label_list(providers = [_ProtoFilesInfo]),
        "grpc": attr.bool(doc = "Generate stubs (and mocks of them) in place of messages."),
    },
)

def _generated(label):
    """The _protoc target behind the windproof_proto target `label`."""
    if ":" not in label:
        label = label + ":" + label.split("/")[-1]
    return label + "_protoc"

def _cc_from_protoc(name, grpc, srcs, proto_deps, cc_deps, visibility, **kwargs):
    _protoc(
        name = name + "_protoc",
        srcs = srcs,
        grpc = grpc,
        # Another package's target imports these files through its own _protoc target.
        visibility = visibility,
        deps = [_generated(dep) for dep in proto_deps],
        tags = ["manual"],
    )
    for group in ["headers", "sources"]:
        native.filegroup(
            name = name + "_" + group,
            srcs = [":" + name + "_protoc"],
            output_group = group,
            tags = ["manual"],
            visibility = ["//visibility:private"],
        )
    native.cc_library(
        name = name,
        srcs = [":" + name + "_sources"],
        hdrs = [":" + name + "_headers"],
        copts = ["-w"],  # generated code is not ours to correct
        tags = ["generated"],
        visibility = visibility,
        deps = cc_deps,
        **kwargs
    )

def windproof_proto(name, srcs, deps = [], visibility = ["//visibility:public"], **kwargs):
    """A cc_library with the messages of `srcs`.

    Args:
      name: target name.
      srcs: .proto files of this package.
      deps: the windproof_proto targets whose files `srcs` import.
      visibility: as usual; public by default.
      **kwargs: passed on to cc_library.
    """
    _cc_from_protoc(
        name = name,
        grpc = False,
        srcs = srcs,
        proto_deps = deps,
        cc_deps = deps + ["//bazel/system:protobuf"],
        visibility = visibility,
        **kwargs
    )

def windproof_grpc(name, srcs, deps, visibility = ["//visibility:public"], **kwargs):
    """A cc_library with the gRPC stubs of `srcs`, and NAME_mock with gmock classes of them.

    The mocks' header is x_mock.grpc.pb.h for x.proto.

    Args:
      name: target name.
      srcs: .proto files of this package that define services.
      deps: the windproof_proto targets of `srcs` and of what they import.
      visibility: as usual; public by default.
      **kwargs: passed on to cc_library.
    """
    _cc_from_protoc(
        name = name,
        grpc = True,
        srcs = srcs,
        proto_deps = deps,
        cc_deps = deps + ["//bazel/system:grpc"],
        visibility = visibility,
        **kwargs
    )
    native.filegroup(
        name = name + "_mock_headers",
        srcs = [":" + name + "_protoc"],
        output_group = "mocks",
        tags = ["manual"],
        visibility = ["//visibility:private"],
    )
    native.cc_library(
        name = name + "_mock",
        testonly = True,
        hdrs = [":" + name + "_mock_headers"],
        tags = ["generated"],
        visibility = visibility,
        deps = [
            ":" + name,
            "//bazel/system:gmock",
        ],
    )

// What ThreadSanitizer would report falsely: Debian's shared libraries are not
// instrumented, so it sees what they do to memory but not how they lock it.
// Linked into every program by --config=tsan.
//
// A pattern of `race:` holds for every frame above and below a racy access, so
// none here names anything that runs code of ours.
extern "C" const char* __tsan_default_suppressions();

extern "C" const char* __tsan_default_suppressions() {
  return
      // Calls of memcpy, malloc, pthread_mutex_lock and the like from there.
      "called_from_lib:librocksdb.so\n"
      "called_from_lib:libzstd.so\n"
      "called_from_lib:liblz4.so\n"
      "called_from_lib:librdkafka.so\n"
      "called_from_lib:libgrpc.so\n"
      "called_from_lib:libgrpc++.so\n"
      "called_from_lib:libgpr.so\n"
      "called_from_lib:libabsl_synchronization.so\n"
      "called_from_lib:libabsl_graphcycles_internal.so\n"
      // Templates of the standard library that RocksDB and our code both have:
      // the linker makes RocksDB call ours, which are instrumented, on memory
      // that RocksDB guards.
      "race:librocksdb.so\n"
      // A message on its way from one thread to another through gRPC, which
      // hands over its bytes under locks that are not seen: writing them here,
      // reading them there; and what else a call sends and receives. Of ours
      // they call nothing but RpcStatsInterceptor.
      "race:grpc::SerializationTraits\n"
      "race:grpc::internal::CallOpSet\n"
      // The status of a call on the same way: its text and count of references
      // live in these libraries, and nothing of ours is called from there.
      "race:libabsl_status.so\n"
      "race:libabsl_cord.so\n";
}

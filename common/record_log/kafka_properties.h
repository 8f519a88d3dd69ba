// Settings of a Kafka client from a file, as Java's `.properties` are written:
// a line each, KEY=VALUE, KEY:VALUE or KEY VALUE; comments begin with # or !; a
// backslash at the end of a line continues it; \t \n \r \f \\ \uXXXX and a
// backslash before any other character as in Java. The file is UTF-8. Unlike
// Java, a key that is set twice is an error.
#ifndef WINDPROOF_COMMON_RECORD_LOG_KAFKA_PROPERTIES_H_
#define WINDPROOF_COMMON_RECORD_LOG_KAFKA_PROPERTIES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace windproof {

struct KafkaProperty {
  std::string key;
  std::string value;
  int line = 0;  // from 1; 0: not from a file
};

struct KafkaProperties {
  std::string file;  // for messages
  std::vector<KafkaProperty> entries;

  // FILE:LINE, or the key alone where there is no file.
  std::string Where(const KafkaProperty& property) const;
};

// InvalidArgument names the file and the line.
absl::StatusOr<KafkaProperties> ParseKafkaProperties(absl::string_view text,
                                                     absl::string_view file);

// NotFound or Unavailable, too: the file cannot be read.
absl::StatusOr<KafkaProperties> ReadKafkaProperties(const std::string& path);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_RECORD_LOG_KAFKA_PROPERTIES_H_

// What a server says while it runs: one line a message on stderr, JSON for
// machines or text for people.
//
//   {"ts":"2026-01-25T12:00:00.123Z","level":"info","service":"anchor",
//    "msg":"serving","grpc":"127.0.0.1:7403"}
//   2026-01-25T12:00:00.123Z info anchor: serving grpc=127.0.0.1:7403
//
// Thread-safe. Before StartLogging() messages go out as text. What gRPC itself
// logs comes here as well. spdlog is behind this and nowhere else.
#ifndef WINDPROOF_COMMON_SERVER_LOGGING_H_
#define WINDPROOF_COMMON_SERVER_LOGGING_H_

#include <cstdint>
#include <initializer_list>
#include <string>

#include "absl/strings/string_view.h"

namespace windproof {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
enum class LogFormat { kJson, kText };

struct LoggingOptions {
  std::string service;  // "anchor"
  LogFormat format = LogFormat::kJson;
  LogLevel level = LogLevel::kInfo;
};

// Once, at the start of main().
void StartLogging(const LoggingOptions& options);

// A name and a value that belong to a message. Values are any bytes; what is no
// UTF-8 is escaped. Names other than ts, level, service, msg.
struct LogField {
  LogField(absl::string_view name, absl::string_view value);
  LogField(absl::string_view name, const char* value);
  LogField(absl::string_view name, const std::string& value);
  LogField(absl::string_view name, int value);
  LogField(absl::string_view name, int64_t value);
  LogField(absl::string_view name, uint64_t value);
  LogField(absl::string_view name, bool value);

  absl::string_view name;
  std::string value;
  bool is_text = true;  // quoted in JSON
};

void Log(LogLevel level, absl::string_view message,
         std::initializer_list<LogField> fields = {});

inline void LogDebug(absl::string_view message,
                     std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kDebug, message, fields);
}
inline void LogInfo(absl::string_view message,
                    std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kInfo, message, fields);
}
inline void LogWarning(absl::string_view message,
                       std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kWarning, message, fields);
}
inline void LogError(absl::string_view message,
                     std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kError, message, fields);
}

// The whole line for a message, without its end. For the sink and its test.
std::string FormatLogLine(const LoggingOptions& options, absl::string_view ts,
                          LogLevel level, absl::string_view message,
                          std::initializer_list<LogField> fields);

}  // namespace windproof

#endif  // WINDPROOF_COMMON_SERVER_LOGGING_H_

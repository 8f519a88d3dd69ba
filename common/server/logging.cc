#include "common/server/logging.h"

#include <grpc/support/log.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/canonical/json_parser.h"
#include "common/canonical/timestamp.h"
#include "common/server/utf8.h"

namespace windproof {
namespace {

absl::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

// Escapes for one line of a terminal; UTF-8 stays.
std::string Printable(absl::string_view text) {
  return absl::Utf8SafeCHexEscape(text);
}

void AppendJson(absl::string_view name, absl::string_view text,
                std::string* out) {
  out->append(out->size() == 1 ? "\"" : ",\"");
  out->append(name.data(), name.size());
  out->append("\":");
  AppendQuoted(MaskInvalidUtf8(text), out);
}

std::string JsonLine(const LoggingOptions& options, absl::string_view ts,
                     LogLevel level, absl::string_view message,
                     std::initializer_list<LogField> fields) {
  std::string line = "{";
  AppendJson("ts", ts, &line);
  AppendJson("level", LevelName(level), &line);
  AppendJson("service", options.service, &line);
  AppendJson("msg", message, &line);
  for (const LogField& field : fields) {
    if (field.is_text) {
      AppendJson(field.name, field.value, &line);
    } else {
      absl::StrAppend(&line, ",\"", field.name, "\":", field.value);
    }
  }
  line.push_back('}');
  return line;
}

std::string TextLine(const LoggingOptions& options, absl::string_view ts,
                     LogLevel level, absl::string_view message,
                     std::initializer_list<LogField> fields) {
  std::string line =
      absl::StrCat(ts, " ", LevelName(level), " ", options.service, ": ",
                   Printable(MaskInvalidUtf8(message)));
  for (const LogField& field : fields) {
    const std::string value = Printable(MaskInvalidUtf8(field.value));
    const bool plain = !value.empty() && value.find(' ') == value.npos;
    absl::StrAppend(&line, " ", field.name, plain ? "=" : "=\"", value,
                    plain ? "" : "\"");
  }
  return line;
}

std::string Now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return FormatTimestamp(TimestampFromMillis(
      std::chrono::duration_cast<std::chrono::milliseconds>(now).count()));
}

// Set once by StartLogging() and read from any thread after that.
LoggingOptions& Options() {
  static auto* const options =
      new LoggingOptions{.service = "windproof", .format = LogFormat::kText};
  return *options;
}

// The sink; it only writes lines, whole.
spdlog::logger& Sink() {
  static auto* const logger = [] {
    auto* made = new spdlog::logger(
        "windproof", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->set_level(spdlog::level::info);
    made->flush_on(spdlog::level::debug);
    return made;
  }();
  return *logger;
}

void LogFromGrpc(gpr_log_func_args* args) {
  LogLevel level = LogLevel::kDebug;
  if (args->severity == GPR_LOG_SEVERITY_INFO) level = LogLevel::kInfo;
  if (args->severity == GPR_LOG_SEVERITY_ERROR) level = LogLevel::kError;
  Log(level, args->message, {{"source", "grpc"}});
}

}  // namespace

LogField::LogField(absl::string_view name, absl::string_view value)
    : name(name), value(value) {}
LogField::LogField(absl::string_view name, const char* value)
    : name(name), value(value) {}
LogField::LogField(absl::string_view name, const std::string& value)
    : name(name), value(value) {}
LogField::LogField(absl::string_view name, int value)
    : name(name), value(absl::StrCat(value)), is_text(false) {}
LogField::LogField(absl::string_view name, int64_t value)
    : name(name), value(absl::StrCat(value)), is_text(false) {}
LogField::LogField(absl::string_view name, uint64_t value)
    : name(name), value(absl::StrCat(value)), is_text(false) {}
LogField::LogField(absl::string_view name, bool value)
    : name(name), value(value ? "true" : "false"), is_text(false) {}

void StartLogging(const LoggingOptions& options) {
  Options() = options;
  Sink().set_level(SpdlogLevel(options.level));
  gpr_set_log_function(LogFromGrpc);
}

std::string FormatLogLine(const LoggingOptions& options, absl::string_view ts,
                          LogLevel level, absl::string_view message,
                          std::initializer_list<LogField> fields) {
  return options.format == LogFormat::kJson
             ? JsonLine(options, ts, level, message, fields)
             : TextLine(options, ts, level, message, fields);
}

void Log(LogLevel level, absl::string_view message,
         std::initializer_list<LogField> fields) {
  const spdlog::level::level_enum spdlog_level = SpdlogLevel(level);
  if (!Sink().should_log(spdlog_level)) return;
  Sink().log(spdlog_level,
             FormatLogLine(Options(), Now(), level, message, fields));
}

}  // namespace windproof

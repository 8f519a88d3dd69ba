// JSON Lines files, for `windproof ingest json`: a line is the value of a
// record. What is in it is for ingest to judge; here it is only cut out.
#ifndef WINDPROOF_SERVICES_INGEST_JSON_LINES_H_
#define WINDPROOF_SERVICES_INGEST_JSON_LINES_H_

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace windproof {

struct JsonLine {
  int64_t number = 0;  // from 1
  std::string text;    // without line end (LF or CR LF); never blank
};

// Reads one file from front to back, in memory of one line. Single owner.
class JsonLinesReader {
 public:
  // Longer lines would be refused as records in any case.
  static constexpr size_t kLineBytesMax = 1 << 20;

  // `-` is standard input. NotFound, Unavailable: it cannot be opened.
  static absl::StatusOr<std::unique_ptr<JsonLinesReader>> Open(
      const std::string& path);

  // The next line that is not blank; nothing at the end. A byte order mark at
  // the start is passed over.
  //
  // InvalidArgument: a line is too long; the message is `PATH:LINE: …`, and the
  // next call goes on behind it. Unavailable: the file cannot be read on.
  absl::StatusOr<std::optional<JsonLine>> Next();

  const std::string& path() const { return path_; }

 private:
  struct Close {
    void operator()(std::FILE* file) const;
  };

  JsonLinesReader(std::string path, std::unique_ptr<std::FILE, Close> file);

  // Reads a line into line_, up to one byte more than is accepted. False at the
  // end of the file.
  bool ReadLine();

  const std::string path_;
  const std::unique_ptr<std::FILE, Close> file_;
  int64_t number_ = 0;
  std::string line_;
};

}  // namespace windproof

#endif  // WINDPROOF_SERVICES_INGEST_JSON_LINES_H_

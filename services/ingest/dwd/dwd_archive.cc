#include "services/ingest/dwd/dwd_archive.h"

#include <zip.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace windproof {
namespace {

constexpr size_t kChunkBytes = 1 << 20;

absl::string_view BaseName(absl::string_view name) {
  const size_t slash = name.find_last_of("/\\");
  return slash == absl::string_view::npos ? name : name.substr(slash + 1);
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
struct DiscardZip {
  void operator()(zip_t* zip) const { zip_discard(zip); }
};
struct CloseMember {
  void operator()(zip_file_t* member) const { zip_fclose(member); }
};

// OK for a regular file of up to `bytes_max`.
absl::Status CheckFile(const std::string& path, size_t bytes_max) {
  std::error_code error;
  const std::filesystem::file_status status =
      std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    return absl::NotFoundError("there is no such file or folder");
  }
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("cannot be read: ", error.message()));
  }
  if (status.type() != std::filesystem::file_type::regular) {
    return absl::InvalidArgumentError(
        "is neither a file nor a folder; txt, csv and zip files and folders "
        "of them are accepted");
  }
  const uintmax_t size = std::filesystem::file_size(path, error);
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("cannot be read: ", error.message()));
  }
  if (size > bytes_max) {
    return absl::InvalidArgumentError(absl::StrCat(
        "has ", size, " bytes; up to ", bytes_max, " are accepted"));
  }
  return absl::OkStatus();
}

std::string ErrorText(zip_error_t* error) {
  std::string text = zip_error_strerror(error);
  return text;
}

absl::StatusOr<std::string> ReadMember(zip_t* zip, zip_uint64_t index,
                                       size_t bytes_max) {
  zip_stat_t stat;
  zip_stat_init(&stat);
  const auto too_big = [bytes_max](zip_uint64_t size, const char* what) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, size, " bytes; up to ", bytes_max, " are accepted"));
  };
  if (zip_stat_index(zip, index, 0, &stat) == 0 &&
      (stat.valid & ZIP_STAT_SIZE) != 0 && stat.size > bytes_max) {
    return too_big(stat.size, "unpacks to ");
  }
  const std::unique_ptr<zip_file_t, CloseMember> member(
      zip_fopen_index(zip, index, 0));
  if (member == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot be unpacked: ", ErrorText(zip_get_error(zip))));
  }
  // What the zip says of the size need not be so: a bomb grows on the way.
  std::string text;
  while (true) {
    const size_t begin = text.size();
    text.resize(begin + kChunkBytes);
    const zip_int64_t read =
        zip_fread(member.get(), text.data() + begin, kChunkBytes);
    if (read < 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "is damaged: ", ErrorText(zip_file_get_error(member.get()))));
    }
    text.resize(begin + static_cast<size_t>(read));
    if (text.size() > bytes_max) {
      return too_big(text.size(), "unpacks to more than ");
    }
    if (read == 0) return text;
  }
}

absl::Status NoZip(zip_error_t* error) {
  return absl::InvalidArgumentError(
      absl::StrCat("is no zip, or damaged or cut off: ", ErrorText(error)));
}

absl::Status ReadMembers(zip_t* zip, const DwdArchiveLimits& limits,
                         absl::FunctionRef<void(DwdMember)> metadata,
                         absl::FunctionRef<void(DwdMember)> product) {
  const zip_int64_t members = zip_get_num_entries(zip, 0);
  if (members < 0 || static_cast<size_t>(members) > limits.zip_members_max) {
    return absl::InvalidArgumentError(
        absl::StrCat("has ", members, " members; up to ",
                     limits.zip_members_max, " are accepted"));
  }

  std::vector<std::pair<std::string, zip_uint64_t>> parameters;
  std::vector<std::pair<std::string, zip_uint64_t>> products;
  for (zip_int64_t i = 0; i < members; ++i) {
    const zip_uint64_t index = static_cast<zip_uint64_t>(i);
    const char* const name = zip_get_name(zip, index, 0);
    if (name == nullptr) continue;
    if (IsDwdParameterName(name)) parameters.emplace_back(name, index);
    if (IsDwdProductName(name)) products.emplace_back(name, index);
  }
  if (products.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("has no product among its ", members,
                     " members; one named produkt_* is accepted"));
  }
  std::sort(parameters.begin(), parameters.end());
  std::sort(products.begin(), products.end());
  for (auto& [name, index] : parameters) {
    metadata(
        {std::move(name), ReadMember(zip, index, limits.metadata_bytes_max)});
  }
  for (auto& [name, index] : products) {
    product({std::move(name), ReadMember(zip, index, limits.file_bytes_max)});
  }
  return absl::OkStatus();
}

}  // namespace

bool IsDwdProductName(absl::string_view name) {
  return absl::StartsWithIgnoreCase(BaseName(name), "produkt_");
}

bool IsDwdParameterName(absl::string_view name) {
  return absl::StartsWithIgnoreCase(BaseName(name), "Metadaten_Parameter_");
}

absl::StatusOr<std::string> ReadDwdFile(const std::string& path,
                                        size_t bytes_max) {
  absl::Status checked = CheckFile(path, bytes_max);
  if (!checked.ok()) return checked;
  const std::unique_ptr<std::FILE, CloseFile> file(
      std::fopen(path.c_str(), "rb"));
  if (file == nullptr) {
    return absl::UnavailableError(absl::StrCat(
        "cannot be read: ", std::generic_category().message(errno)));
  }
  std::string text;
  size_t read = 0;
  do {
    const size_t begin = text.size();
    text.resize(begin + kChunkBytes);
    read = std::fread(text.data() + begin, 1, kChunkBytes, file.get());
    text.resize(begin + read);
  } while (read == kChunkBytes && text.size() <= bytes_max);
  if (std::ferror(file.get()) != 0) {
    return absl::UnavailableError("cannot be read to its end");
  }
  // It may have grown since it was looked at.
  if (text.size() > bytes_max) {
    return absl::InvalidArgumentError(absl::StrCat(
        "has more than ", bytes_max, " bytes, which are accepted"));
  }
  return text;
}

absl::Status ReadDwdZip(const std::string& path, const DwdArchiveLimits& limits,
                        absl::FunctionRef<void(DwdMember)> metadata,
                        absl::FunctionRef<void(DwdMember)> product) {
  absl::Status checked = CheckFile(path, limits.zip_bytes_max);
  if (!checked.ok()) return checked;
  int code = 0;
  const std::unique_ptr<zip_t, DiscardZip> zip(
      zip_open(path.c_str(), ZIP_RDONLY, &code));
  if (zip == nullptr) {
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    absl::Status refused = NoZip(&error);
    zip_error_fini(&error);
    return refused;
  }
  return ReadMembers(zip.get(), limits, metadata, product);
}

absl::Status ReadDwdZipBytes(absl::string_view bytes,
                             const DwdArchiveLimits& limits,
                             absl::FunctionRef<void(DwdMember)> metadata,
                             absl::FunctionRef<void(DwdMember)> product) {
  if (bytes.size() > limits.zip_bytes_max) {
    return absl::InvalidArgumentError(
        absl::StrCat("has ", bytes.size(), " bytes; up to ",
                     limits.zip_bytes_max, " are accepted"));
  }
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* const source =
      zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  // The zip owns the source, once it is open.
  const std::unique_ptr<zip_t, DiscardZip> zip(
      source == nullptr ? nullptr
                        : zip_open_from_source(source, ZIP_RDONLY, &error));
  if (zip == nullptr) {
    if (source != nullptr) zip_source_free(source);
    absl::Status refused = NoZip(&error);
    zip_error_fini(&error);
    return refused;
  }
  return ReadMembers(zip.get(), limits, metadata, product);
}

}  // namespace windproof

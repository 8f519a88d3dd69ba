#include "services/ingest/dwd/dwd_collector.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace windproof {
namespace {

namespace fs = std::filesystem;

bool HasSuffix(const std::string& path, absl::string_view suffix) {
  return absl::EndsWithIgnoreCase(path, suffix);
}

bool IsZipName(const std::string& path) { return HasSuffix(path, ".zip"); }

bool IsTextName(const std::string& path) {
  return HasSuffix(path, ".txt") || HasSuffix(path, ".csv");
}

}  // namespace

std::string DwdRejectionText(const DwdRejection& rejection) {
  if (rejection.line == 0) {
    return absl::StrCat(rejection.file, " ", rejection.reason);
  }
  return absl::StrCat(rejection.file, ":", rejection.line, ": ",
                      rejection.reason);
}

void DwdCollector::AddPath(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    AddFolder(path);
  } else if (IsZipName(path)) {
    AddZip(path);
  } else {
    AddProductFile(path, /*named=*/true);
  }
}

DwdCollection DwdCollector::Finish() {
  for (auto& [number, station] : stations_) {
    station.Sort();
    collection_.stations.push_back(std::move(station));
  }
  stations_.clear();
  zones_.clear();
  return std::exchange(collection_, {});
}

void DwdCollector::AddFolder(const std::string& path) {
  std::vector<std::string> files;
  std::error_code error;
  // Links to folders are not followed: they could lead round in circles.
  for (fs::recursive_directory_iterator it(path, error), end;
       !error && it != end; it.increment(error)) {
    const std::string file = it->path().string();
    std::error_code ignored;
    if ((IsZipName(file) || IsTextName(file)) && it->is_regular_file(ignored)) {
      files.push_back(file);
    }
  }
  if (error) {
    Refuse(path, absl::StrCat("cannot be read whole: ", error.message()));
  }
  std::sort(files.begin(), files.end());
  for (const std::string& file : files) {
    if (IsZipName(file)) {
      AddZip(file);
    } else {
      AddProductFile(file, /*named=*/false);
    }
  }
}

void DwdCollector::AddZip(const std::string& path) {
  DwdTimeZones zones;
  absl::Status zones_status;
  const auto member_name = [&path](const DwdMember& member) {
    return absl::StrCat(path, "!", member.name);
  };
  const absl::Status read = ReadDwdZip(
      path, limits_,
      [&](DwdMember member) {
        absl::Status added = member.text.status();
        if (added.ok()) added = zones.Add(*member.text);
        if (added.ok()) return;
        zones_status = added;
        Refuse(member_name(member), added.message());
      },
      [&](DwdMember member) {
        if (!member.text.ok()) {
          Refuse(member_name(member), member.text.status().message());
        } else if (!zones_status.ok()) {
          Refuse(member_name(member),
                 "is left out: the metadata that come with it, which say in "
                 "which time zone it is, cannot be read");
        } else {
          AddProduct(member_name(member), *member.text, zones);
        }
      });
  if (!read.ok()) Refuse(path, read.message());
}

void DwdCollector::AddProductFile(const std::string& path, bool named) {
  const absl::StatusOr<std::string> text =
      ReadDwdFile(path, limits_.file_bytes_max);
  if (!named && !IsDwdProductName(path) &&
      (!text.ok() || !LooksLikeDwdFile(*text))) {
    return;
  }
  if (!text.ok()) {
    Refuse(path, text.status().message());
    return;
  }
  const absl::StatusOr<DwdTimeZones>& zones = ZonesBeside(path);
  if (!zones.ok()) {
    Refuse(path, absl::StrCat("is left out: the metadata beside it, which say "
                              "in which time zone it is, cannot be read: ",
                              zones.status().message()));
    return;
  }
  AddProduct(path, *text, *zones);
}

void DwdCollector::AddProduct(const std::string& file, absl::string_view text,
                              const DwdTimeZones& zones) {
  DwdStation* station = nullptr;
  int32_t number = -1;
  absl::StatusOr<DwdFileSummary> summary =
      ParseDwdFile(text, zones, [&](const DwdRow& row) {
        if (row.station != number) {
          number = row.station;
          station = &stations_.try_emplace(number, number).first->second;
        }
        station->Add(row);
      });
  if (!summary.ok()) {
    Refuse(file, summary.status().message());
    return;
  }
  ++collection_.files;
  collection_.rows += summary->rows;
  collection_.rejected_rows += summary->rejected_rows;
  for (DwdRejectedRow& rejected : summary->rejected) {
    collection_.rejections.push_back(
        {file, rejected.line, std::move(rejected.reason)});
  }
}

void DwdCollector::Refuse(const std::string& file, absl::string_view reason) {
  ++collection_.refused_files;
  collection_.rejections.push_back({file, 0, std::string(reason)});
}

const absl::StatusOr<DwdTimeZones>& DwdCollector::ZonesBeside(
    const std::string& path) {
  std::string folder = fs::path(path).parent_path().string();
  if (folder.empty()) folder = ".";
  const auto known = zones_.find(folder);
  if (known != zones_.end()) return known->second;

  std::vector<std::string> files;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    const std::string file = it->path().string();
    if (IsDwdParameterName(file) && IsTextName(file)) files.push_back(file);
  }
  std::sort(files.begin(), files.end());
  absl::StatusOr<DwdTimeZones> zones = DwdTimeZones();
  for (const std::string& file : files) {
    const absl::StatusOr<std::string> text =
        ReadDwdFile(file, limits_.metadata_bytes_max);
    absl::Status added = text.status();
    if (added.ok()) added = zones->Add(*text);
    if (added.ok()) continue;
    zones =
        absl::InvalidArgumentError(absl::StrCat(file, " ", added.message()));
    break;
  }
  return zones_.emplace(folder, std::move(zones)).first->second;
}

}  // namespace windproof

// Nothing that is hashed may depend on where or for whom a program runs.
#include <clocale>
#include <cstdlib>
#include <ctime>
#include <locale>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/canonical/decimal.h"
#include "common/canonical/json_value.h"
#include "common/canonical/number.h"
#include "common/canonical/timestamp.h"
#include "gtest/gtest.h"

namespace windproof {
namespace {

// Numbers as in Germany: 1.234,5.
class GermanNumbers : public std::numpunct<char> {
 protected:
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

// What this part of the project makes of a few inputs, in one text.
std::string Everything() {
  std::string text = CanonicalizeJson(R"({"b":[1234567.25,1e21,1.5e-9,-0.1],)"
                                      R"("ä":12345678,"I":"i","ı":"İ"})")
                         .value();
  for (const char* const number :
       {"1234.50", "0.12345678901234567", "1e-400"}) {
    text += ' ';
    AppendCanonicalNumberText(number, &text);
    text += ' ';
    AppendCanonicalNumber(NumberFromText(number), &text);
  }
  for (const char* const time :
       {"2026-03-29T02:30:00+01:00", "1969-12-31T23:59:59.5Z",
        "1893-03-31T23:59:59Z"}) {
    absl::StrAppend(&text, " ", FormatTimestamp(ParseTimestamp(time).value()));
  }
  absl::StrAppend(&text, " ",
                  FormatTimestamp(TimestampFromMillisDouble(1.5e12).value()));
  text += ' ';
  AppendCanonicalNumber(
      MeanOfNanounits(NanounitsFromCanonicalNumber("1234.5678901"), 7), &text);
  return text;
}

constexpr char kExpected[] =
    R"({"I":"i","b":[1234567.25,1e+21,1.5e-9,-0.1],"ä":12345678,"ı":"İ"})"
    " 1234.5 1234.5 0.12345678901234566 0.12345678901234566 0 0"
    " 2026-03-29T01:30:00Z 1969-12-31T23:59:59.500Z 1893-03-31T23:59:59Z"
    " 2017-07-14T02:40:00Z 176.366841";

TEST(LocaleTest, NothingDependsOnTheGlobalCppLocale) {
  const std::locale german(std::locale::classic(), new GermanNumbers);
  const std::locale before = std::locale::global(german);
  EXPECT_EQ(Everything(), kExpected);
  std::locale::global(before);
}

TEST(LocaleTest, NothingDependsOnTheCLocale) {
  EXPECT_EQ(Everything(), kExpected);
  // Those that this machine has, among them some with a decimal comma and one
  // with letters of its own.
  for (const char* const name :
       {"C", "C.UTF-8", "POSIX", "de_DE.UTF-8", "de_DE", "fr_FR.UTF-8",
        "tr_TR.UTF-8", "ar_EG.UTF-8", "ja_JP.UTF-8"}) {
    if (std::setlocale(LC_ALL, name) == nullptr) continue;
    EXPECT_EQ(Everything(), kExpected) << name;
  }
  std::setlocale(LC_ALL, "C");
}

TEST(LocaleTest, NothingDependsOnTheTimeZone) {
  const char* const before = std::getenv("TZ");
  const std::string saved = before == nullptr ? "" : before;
  for (const char* const zone :
       {"UTC", "CET-1CEST,M3.5.0,M10.5.0/3", "IST-5:30", "<-12>12", "right/UTC",
        "Nowhere/Nothing"}) {
    setenv("TZ", zone, /*overwrite=*/1);
    tzset();
    EXPECT_EQ(Everything(), kExpected) << zone;
  }
  if (before == nullptr) {
    unsetenv("TZ");
  } else {
    setenv("TZ", saved.c_str(), 1);
  }
  tzset();
}

}  // namespace
}  // namespace windproof

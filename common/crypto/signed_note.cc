#include "common/crypto/signed_note.h"

#include <cstdlib>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/crypto/sha256.h"

namespace windproof {
namespace {

constexpr absl::string_view kSignaturePrefix = "\xE2\x80\x94 ";  // em dash
constexpr char kEd25519 = 0x01;
constexpr size_t kKeyIdSize = 4;
// As in Go's note package: more than that is an attack, not a note.
constexpr size_t kMaxNoteSize = 1'000'000;
constexpr size_t kMaxSignatures = 100;

// The code point that `*text` begins with, which is then taken off; -1 where
// that is not well-formed UTF-8 (RFC 3629).
int32_t NextCodePoint(absl::string_view* text) {
  const auto byte = [&](size_t i) {
    return static_cast<unsigned char>((*text)[i]);
  };
  const unsigned char lead = byte(0);
  size_t size = 1;
  int32_t point = lead;
  int32_t least = 0;
  if (lead >= 0xF0) {
    if (lead > 0xF4) return -1;
    size = 4, point = lead & 0x07, least = 0x10000;
  } else if (lead >= 0xE0) {
    size = 3, point = lead & 0x0F, least = 0x800;
  } else if (lead >= 0x80) {
    if (lead < 0xC2) return -1;
    size = 2, point = lead & 0x1F, least = 0x80;
  }
  if (text->size() < size) return -1;
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return -1;
    point = point << 6 | (byte(i) & 0x3F);
  }
  if (point < least || point > 0x10FFFF) return -1;
  if (point >= 0xD800 && point <= 0xDFFF) return -1;
  text->remove_prefix(size);
  return point;
}

// Unicode's White_Space property.
bool IsSpace(int32_t point) {
  return (point >= 0x09 && point <= 0x0D) || point == 0x20 || point == 0x85 ||
         point == 0xA0 || point == 0x1680 ||
         (point >= 0x2000 && point <= 0x200A) || point == 0x2028 ||
         point == 0x2029 || point == 0x202F || point == 0x205F ||
         point == 0x3000;
}

absl::Status CheckName(absl::string_view name) {
  if (name.empty()) return absl::InvalidArgumentError("key name is empty");
  for (absl::string_view rest = name; !rest.empty();) {
    const int32_t point = NextCodePoint(&rest);
    if (point < 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "key name \"", absl::CHexEscape(name), "\" is not UTF-8"));
    }
    if (IsSpace(point) || point == '+' || point < 0x20) {
      return absl::InvalidArgumentError(
          absl::StrCat("key name \"", absl::CHexEscape(name),
                       "\" holds white space or a plus sign"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckText(absl::string_view text) {
  if (text.empty() || text.back() != '\n') {
    return absl::InvalidArgumentError("note text does not end with a newline");
  }
  for (absl::string_view rest = text; !rest.empty();) {
    const size_t position = text.size() - rest.size();
    const int32_t point = NextCodePoint(&rest);
    if (point < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("note is not UTF-8 at byte ", position));
    }
    if (point < 0x20 && point != '\n') {
      return absl::InvalidArgumentError(absl::StrCat(
          "note holds control character ", point, " at byte ", position));
    }
  }
  return absl::OkStatus();
}

// Padded and canonical: a signature has one spelling.
bool StrictBase64(absl::string_view text, std::string* bytes) {
  return absl::Base64Unescape(text, bytes) &&
         absl::Base64Escape(*bytes) == text;
}

uint32_t BigEndian32(absl::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = 0; i < kKeyIdSize; ++i) {
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

std::string KeyIdBytes(uint32_t key_id) {
  return {static_cast<char>(key_id >> 24), static_cast<char>(key_id >> 16),
          static_cast<char>(key_id >> 8), static_cast<char>(key_id)};
}

absl::string_view RawBytes(const Ed25519PublicKey& key) {
  return absl::string_view(reinterpret_cast<const char*>(key.raw().data()),
                           key.raw().size());
}

absl::StatusOr<NoteSignature> ParseSignatureLine(absl::string_view line) {
  if (line.substr(0, kSignaturePrefix.size()) != kSignaturePrefix) {
    return absl::InvalidArgumentError(
        "signature line does not begin with an em dash and a space");
  }
  line.remove_prefix(kSignaturePrefix.size());
  const size_t space = line.find(' ');
  if (space == absl::string_view::npos) {
    return absl::InvalidArgumentError("signature line has no signature");
  }
  const absl::string_view name = line.substr(0, space);
  if (const absl::Status status = CheckName(name); !status.ok()) return status;
  std::string bytes;
  if (!StrictBase64(line.substr(space + 1), &bytes)) {
    return absl::InvalidArgumentError(
        absl::StrCat("signature by \"", name, "\" is not base64"));
  }
  if (bytes.size() <= kKeyIdSize) {
    return absl::InvalidArgumentError(absl::StrCat(
        "signature by \"", name, "\" has ", bytes.size(),
        " bytes; a key id of 4 and at least one more is accepted"));
  }
  return NoteSignature{std::string(name), BigEndian32(bytes),
                       bytes.substr(kKeyIdSize)};
}

}  // namespace

VerifierKey MakeVerifierKey(absl::string_view name,
                            const Ed25519PublicKey& key) {
  const Digest digest =
      Sha256Of({name, "\n", absl::string_view(&kEd25519, 1), RawBytes(key)});
  return VerifierKey{std::string(name), BigEndian32(BytesOf(digest)), key};
}

absl::StatusOr<VerifierKey> ParseVerifierKey(absl::string_view vkey) {
  // Base64 holds plus signs too, so only the first two separate.
  const size_t first = vkey.find('+');
  const size_t second = first == absl::string_view::npos
                            ? absl::string_view::npos
                            : vkey.find('+', first + 1);
  if (second == absl::string_view::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("verifier key \"", absl::CHexEscape(vkey),
                     "\": NAME+KEYID+BASE64 is accepted"));
  }
  const absl::string_view name = vkey.substr(0, first);
  const absl::string_view id_text = vkey.substr(first + 1, second - first - 1);
  if (const absl::Status status = CheckName(name); !status.ok()) return status;
  std::string bytes;
  if (!StrictBase64(vkey.substr(second + 1), &bytes)) {
    return absl::InvalidArgumentError(
        absl::StrCat("verifier key ", name, ": the key is not base64"));
  }
  if (bytes.empty() || bytes[0] != kEd25519) {
    return absl::InvalidArgumentError(
        absl::StrCat("verifier key ", name, ": algorithm ",
                     bytes.empty() ? 0 : static_cast<unsigned char>(bytes[0]),
                     " is unknown; 1 (Ed25519) is accepted"));
  }
  const absl::StatusOr<Ed25519PublicKey> key =
      Ed25519PublicKey::FromRaw(absl::string_view(bytes).substr(1));
  if (!key.ok()) return key.status();
  VerifierKey result = MakeVerifierKey(name, *key);
  const std::string expected =
      absl::StrCat(absl::Hex(result.key_id, absl::kZeroPad8));
  if (id_text != expected) {
    return absl::InvalidArgumentError(
        absl::StrCat("verifier key ", name, ": key id is \"",
                     absl::CHexEscape(id_text), "\"; the key's is ", expected));
  }
  return result;
}

std::string FormatVerifierKey(const VerifierKey& key) {
  std::string bytes(1, kEd25519);
  absl::StrAppend(&bytes, RawBytes(key.key));
  return absl::StrCat(key.name, "+", absl::Hex(key.key_id, absl::kZeroPad8),
                      "+", absl::Base64Escape(bytes));
}

absl::StatusOr<SignedNote> ParseSignedNote(absl::string_view note) {
  if (note.size() > kMaxNoteSize) {
    return absl::InvalidArgumentError(
        absl::StrCat("note has ", note.size(), " bytes; up to ", kMaxNoteSize,
                     " are accepted"));
  }
  if (const absl::Status status = CheckText(note); !status.ok()) return status;
  const size_t blank = note.rfind("\n\n");
  if (blank == absl::string_view::npos) {
    return absl::InvalidArgumentError(
        "note has no blank line between text and signatures");
  }
  SignedNote result;
  result.text = std::string(note.substr(0, blank + 1));
  absl::string_view rest = note.substr(blank + 2);
  if (rest.empty()) {
    return absl::InvalidArgumentError("note has no signature");
  }
  while (!rest.empty()) {
    const size_t end = rest.find('\n');  // CheckText: the last byte is one
    absl::StatusOr<NoteSignature> signature =
        ParseSignatureLine(rest.substr(0, end));
    if (!signature.ok()) return signature.status();
    result.signatures.push_back(*std::move(signature));
    if (result.signatures.size() > kMaxSignatures) {
      return absl::InvalidArgumentError(
          absl::StrCat("note has more than ", kMaxSignatures, " signatures"));
    }
    rest.remove_prefix(end + 1);
  }
  return result;
}

absl::StatusOr<std::string> SignNote(absl::string_view text,
                                     absl::string_view signer_name,
                                     const Ed25519PrivateKey& key) {
  if (const absl::Status status = CheckText(text); !status.ok()) return status;
  if (const absl::Status status = CheckName(signer_name); !status.ok()) {
    return status;
  }
  const VerifierKey verifier = MakeVerifierKey(signer_name, key.PublicKey());
  const std::string bytes =
      absl::StrCat(KeyIdBytes(verifier.key_id), key.Sign(text));
  return absl::StrCat(text, "\n", kSignaturePrefix, signer_name, " ",
                      absl::Base64Escape(bytes), "\n");
}

absl::StatusOr<std::string> OpenNote(absl::string_view note,
                                     const VerifierKey& key) {
  absl::StatusOr<SignedNote> parsed = ParseSignedNote(note);
  if (!parsed.ok()) return parsed.status();
  bool good = false;
  for (const NoteSignature& signature : parsed->signatures) {
    // Others' signatures are no matter of ours; a key is its name and its id.
    if (signature.name != key.name || signature.key_id != key.key_id) continue;
    if (!key.key.Verify(parsed->text, signature.signature)) {
      return absl::PermissionDeniedError(absl::StrCat(
          "note carries a wrong signature by ", FormatVerifierKey(key)));
    }
    good = true;
  }
  if (!good) {
    return absl::PermissionDeniedError(
        absl::StrCat("note carries no signature by ", FormatVerifierKey(key)));
  }
  return std::move(parsed->text);
}

}  // namespace windproof

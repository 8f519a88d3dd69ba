#include "common/crypto/sha256_pair.h"

#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>

namespace windproof {
namespace {

// FIPS 180-4 section 4.2.2.
alignas(16) constexpr uint32_t kRounds[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

#define WINDPROOF_SHA \
  __attribute__((target("sha,sse4.1"), always_inline)) inline

// The state as the instructions want it: words A, B, E, F and C, D, G, H.
struct State {
  __m128i abef;
  __m128i cdgh;
};

// The last four words of each of the last four rounds of four.
struct Schedule {
  __m128i words[4];
};

WINDPROOF_SHA State InitialState() {
  // FIPS 180-4 section 5.3.3.
  return {_mm_set_epi32(0x6a09e667, static_cast<int>(0xbb67ae85), 0x510e527f,
                        static_cast<int>(0x9b05688c)),
          _mm_set_epi32(0x3c6ef372, static_cast<int>(0xa54ff53a), 0x1f83d9ab,
                        0x5be0cd19)};
}

WINDPROOF_SHA void Load(const uint8_t* block, Schedule* schedule) {
  const __m128i big_endian =
      _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  for (int i = 0; i < 4; ++i) {
    schedule->words[i] = _mm_shuffle_epi8(
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(block) + i),
        big_endian);
  }
}

// The four words after those of the schedule, in place of its oldest, `at`.
WINDPROOF_SHA void Extend(int at, Schedule* schedule) {
  __m128i* const w = schedule->words;
  const __m128i newest = w[(at + 3) % 4];
  w[at] = _mm_sha256msg2_epu32(
      _mm_add_epi32(_mm_sha256msg1_epu32(w[at], w[(at + 1) % 4]),
                    _mm_alignr_epi8(newest, w[(at + 2) % 4], 4)),
      newest);
}

// Four rounds.
WINDPROOF_SHA void Round(__m128i words, __m128i constants, State* state) {
  const __m128i added = _mm_add_epi32(words, constants);
  state->cdgh = _mm_sha256rnds2_epu32(state->cdgh, state->abef, added);
  state->abef = _mm_sha256rnds2_epu32(state->abef, state->cdgh,
                                      _mm_shuffle_epi32(added, 0x0e));
}

WINDPROOF_SHA void Add(const State& before, State* state) {
  state->abef = _mm_add_epi32(state->abef, before.abef);
  state->cdgh = _mm_add_epi32(state->cdgh, before.cdgh);
}

WINDPROOF_SHA void Store(const State& state, uint8_t* digest) {
  // From the highest word down: A B E F, C D G H; wanted are A to H in order,
  // each big-endian.
  const __m128i reversed =
      _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
  __m128i* const out = reinterpret_cast<__m128i*>(digest);
  _mm_storeu_si128(
      out,
      _mm_shuffle_epi8(_mm_unpackhi_epi64(state.cdgh, state.abef), reversed));
  _mm_storeu_si128(
      out + 1,
      _mm_shuffle_epi8(_mm_unpacklo_epi64(state.cdgh, state.abef), reversed));
}

bool Detect() {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  constexpr unsigned kSha = 1U << 29;    // leaf 7, EBX
  constexpr unsigned kSsse3 = 1U << 9;   // leaf 1, ECX
  constexpr unsigned kSse41 = 1U << 19;  // leaf 1, ECX
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (b & kSha) == 0) {
    return false;
  }
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & kSsse3) != 0 &&
         (c & kSse41) != 0;
}

}  // namespace

bool HasSha256Pair() {
  static const bool has = Detect();
  return has;
}

__attribute__((target("sha,sse4.1"))) void Sha256PairOfBlocks(
    const uint8_t* first, const uint8_t* second, size_t blocks,
    uint8_t* first_digest, uint8_t* second_digest) {
  State x = InitialState();
  State y = InitialState();
  for (; blocks > 0; --blocks, first += 64, second += 64) {
    const State x_before = x;
    const State y_before = y;
    Schedule x_words;
    Schedule y_words;
    Load(first, &x_words);
    Load(second, &y_words);
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
      const int at = i % 4;
      if (i >= 4) {
        Extend(at, &x_words);
        Extend(at, &y_words);
      }
      const __m128i constants =
          _mm_load_si128(reinterpret_cast<const __m128i*>(kRounds) + i);
      Round(x_words.words[at], constants, &x);
      Round(y_words.words[at], constants, &y);
    }
    Add(x_before, &x);
    Add(y_before, &y);
  }
  Store(x, first_digest);
  Store(y, second_digest);
}

#undef WINDPROOF_SHA

}  // namespace windproof

#else  // __x86_64__

#include <cstdlib>

namespace windproof {

bool HasSha256Pair() { return false; }

void Sha256PairOfBlocks(const uint8_t*, const uint8_t*, size_t, uint8_t*,
                        uint8_t*) {
  std::abort();
}

}  // namespace windproof

#endif  // __x86_64__

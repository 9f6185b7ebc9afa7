/* Rows in JSON, read straight into the matrix of a model: what is plainly right, and nothing else.

   `decode_rows` either takes a whole body, every value checked, or takes nothing. It never says what
   is wrong: whatever it does not take goes through the Python code beside it, which explains, and
   which also takes the rare things that are right but not plain: escaped characters, numbers of more
   than 19 digits or far from 1, keys in whatever envelope. So the two never disagree about a body
   that both take, and a mistake here can only be one of accepting, which tests look for.

   Every string that is taken equals a name or a category of the model, byte for byte, so that none
   needs to be decoded, or checked for UTF-8. The body must end with a NUL beyond `length`, as the
   bytes of CPython do: no loop below steps over one. Nothing is allocated and nothing is kept. */

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "powers.h" /* POWERS_FIRST, POWERS_LAST, POWERS[][2]: written by app.compiled.building */

#if FLT_EVAL_METHOD != 0
#error "sums and products must be rounded to double each, as in NumPy"
#endif

typedef unsigned __int128 uint128;

enum { NUMBER = 0, BOOLEAN = 1, CATEGORY = 2 };

enum { MOST_DIGITS = 19, MOST_EXPONENT = 9999 };

/* A linear model, as app.linear describes it: for each feature a factor, or a contribution for each
   code, the first of them at `firsts` in `contributions`, else -1; and the contribution of NaN. */
struct terms {
  double intercept;
  const double *factors;
  const double *missing;
  const int64_t *firsts;
  const double *contributions;
};

/* A model's schema, and its terms if it is linear. Words are the names of the features, in order, then all categories; each has an
   owner, the feature of a category, and `features` for a name. `slots` is a table of open addressing
   over the words, with a power of two of places, the empty ones -1. */
struct plan {
  int64_t features;
  int64_t words;
  int64_t mask;
  double largest;
  const uint8_t *kinds;
  const uint8_t *missing;
  const uint8_t *text;
  const int64_t *starts;
  const int64_t *lengths;
  const int64_t *owners;
  const double *codes;
  int32_t *slots;
  const struct terms *terms;
};

/* ---- words ------------------------------------------------------------------------------------ */

static uint64_t hash_of(int64_t owner, const uint8_t *text, int64_t length) {
  uint64_t hash = ((uint64_t)owner + 1) * 0x9E3779B97F4A7C15u + (uint64_t)length;
  for (; length >= 8; text += 8, length -= 8) {
    uint64_t part;
    memcpy(&part, text, 8);
    hash = (hash ^ part) * 0xD6E8FEB86659FD93u;
    hash ^= hash >> 32;
  }
  for (; length > 0; text++, length--) hash = (hash ^ *text) * 0x100000001B3u;
  hash ^= hash >> 29;
  return hash * 0x9E3779B97F4A7C15u >> 20;
}

static int is_word(const struct plan *plan, int64_t word, const uint8_t *text, int64_t length) {
  return plan->lengths[word] == length &&
         memcmp(plan->text + plan->starts[word], text, (size_t)length) == 0;
}

static int64_t find(const struct plan *plan, int64_t owner, const uint8_t *text, int64_t length) {
  uint64_t place = hash_of(owner, text, length);
  for (;; place++) {
    int64_t word = plan->slots[place & (uint64_t)plan->mask];
    if (word < 0) return -1;
    if (plan->owners[word] == owner && is_word(plan, word, text, length)) return word;
  }
}

/* Fill the table of a new plan, whose slots are all empty and more than its words. */
void index_words(const struct plan *plan) {
  for (int64_t word = 0; word < plan->words; word++) {
    uint64_t place =
        hash_of(plan->owners[word], plan->text + plan->starts[word], plan->lengths[word]);
    while (plan->slots[place & (uint64_t)plan->mask] >= 0) place++;
    plan->slots[place & (uint64_t)plan->mask] = (int32_t)word;
  }
}

/* ---- tokens: each reads at `at` and gives the place behind, or NULL where it is not there -------- */

static const uint8_t *space(const uint8_t *at) {
  while (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t') at++;
  return at;
}

/* A mark, with space before and behind it. */
static const uint8_t *mark(const uint8_t *at, uint8_t which) {
  at = space(at);
  return *at == which ? space(at + 1) : NULL;
}

static const uint8_t *literal(const uint8_t *at, const char *text) {
  for (; *text; at++, text++)
    if (*at != (uint8_t)*text) return NULL;
  return at;
}

/* A string that stands for itself; its text lies between `at` + 1 and the place given - 1. */
static const uint8_t *string(const uint8_t *at) {
  if (*at++ != '"') return NULL;
  while (*at != '"') {
    if (*at < 0x20 || *at == '\\') return NULL;
    at++;
  }
  return at + 1;
}

/* ---- numbers ---------------------------------------------------------------------------------- */

/* mantissa * 10^exponent, rounded half to even; 0 where that cannot be told from 128 bits of the
   power. The mantissa is not 0, and the exponent within those of POWERS.

   The power is T * 2^s with T at least 2^127, cut off: the true one lies in [T, T + 1). With the
   mantissa shifted up to m in [2^63, 2^64), the true product lies in [m * T, m * T + m), and its
   upper 128 of 192 bits, H, are wrong by less than 2. Where both ends round alike, that is it. */
static int scaled(uint64_t mantissa, int64_t exponent, double *found) {
  const uint64_t *power = POWERS[exponent - POWERS_FIRST];
  int zeros = __builtin_clzll(mantissa);
  uint64_t m = mantissa << zeros;
  uint128 low = (uint128)m * power[1];
  uint128 high = (uint128)m * power[0] + (uint64_t)(low >> 64); /* H */
  int carry = (int)(high >> 127);
  int dropped = 74 + carry; /* of 128 bits, so that 53 stay */
  uint128 rest = high & (((uint128)1 << dropped) - 1);
  uint128 half = (uint128)1 << (dropped - 1);
  if (rest == half || rest == half - 1) return 0;
  uint64_t kept = (uint64_t)(high >> dropped) + (rest > half);
  /* 10^e = T * 2^(floor(e * log2(10)) - 127); 217706 / 2^16 is log2(10), near enough for POWERS. */
  int64_t shift = ((217706 * exponent) >> 16) - 127 - zeros + 64 + dropped;
  /* kept * 2^shift, never subnormal: the highest bit of `kept` adds the one that is missing here. */
  uint64_t bits = ((uint64_t)(shift + 1074) << 52) + kept;
  memcpy(found, &bits, sizeof bits);
  return 1;
}

/* mantissa * 10^exponent; 0 where that is for others. */
static int value_of(uint64_t mantissa, int64_t exponent, double *found) {
  static const double exact[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  if (mantissa == 0 || exponent == 0) {
    *found = (double)mantissa;
    return 1;
  }
  /* Both factors are exact, so that the one operation rounds rightly. */
  if (mantissa <= (uint64_t)1 << 53 && exponent >= -22 && exponent <= 22) {
    double whole = (double)mantissa;
    *found = exponent < 0 ? whole / exact[-exponent] : whole * exact[exponent];
    return 1;
  }
  if (exponent < POWERS_FIRST || exponent > POWERS_LAST) return 0;
  return scaled(mantissa, exponent, found);
}

static int is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

static const uint8_t *digits_one_by_one(const uint8_t *at, uint64_t *mantissa) {
  for (; is_digit(*at); at++) *mantissa = *mantissa * 10 + (*at - '0');
  return at;
}

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/* The number that eight digits make, the first in the lowest byte: pairs, then fours, then all. */
static uint64_t joined(uint64_t digits) {
  digits = digits * 10 + (digits >> 8);
  return ((digits & 0x000000FF000000FFu) * (100 + ((uint64_t)1000000 << 32)) +
          ((digits >> 16) & 0x000000FF000000FFu) * (1 + ((uint64_t)10000 << 32))) >> 32;
}

/* Digits, up to eight at a time. What is no digit is found by its byte's highest bit, and shifted
   out, so that noughts lead: how many digits there are costs no branch that could be guessed wrong. */
static const uint8_t *digits(const uint8_t *at, const uint8_t *end, uint64_t *mantissa) {
  static const uint64_t tens[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
  while (end - at >= 8) {
    uint64_t text;
    memcpy(&text, at, 8);
    text ^= 0x3030303030303030u;
    uint64_t others =
        (((text & 0x7F7F7F7F7F7F7F7Fu) + 0x7676767676767676u) | text) & 0x8080808080808080u;
    if (others == 0) {
      *mantissa = *mantissa * 100000000u + (uint32_t)joined(text);
      at += 8;
      continue;
    }
    int count = __builtin_ctzll(others) >> 3;
    if (count == 0) return at;
    *mantissa = *mantissa * tens[count] + (uint32_t)joined(text << (64 - 8 * count));
    return at + count;
  }
  return digits_one_by_one(at, mantissa);
}
#else
static const uint8_t *digits(const uint8_t *at, const uint8_t *end, uint64_t *mantissa) {
  (void)end;
  return digits_one_by_one(at, mantissa);
}
#endif

/* How many digits of a mantissa count: those behind its leading zeros. `point` may be NULL. */
static int64_t counting(const uint8_t *at, const uint8_t *behind, const uint8_t *point) {
  while (at < behind && (*at == '0' || at == point)) at++;
  return behind - at - (point != NULL && point >= at);
}

static const uint8_t *exponent_of(const uint8_t *at, int64_t *exponent) {
  int negative = *at == '-';
  int64_t size = 0;
  if (*at == '-' || *at == '+') at++;
  if (!is_digit(*at)) return NULL;
  for (; is_digit(*at); at++)
    if (size <= MOST_EXPONENT) size = size * 10 + (*at - '0');
  *exponent += negative ? -size : size;
  return at;
}

static const uint8_t *number(const uint8_t *at, const uint8_t *end, double largest, double *found) {
  uint64_t mantissa = 0;
  int64_t exponent = 0;
  int negative = *at == '-', whole = 1;
  if (negative) at++;
  const uint8_t *first = at, *point = NULL;
  if (!is_digit(*at)) return NULL;
  at = *at == '0' ? at + 1 : digits(at, end, &mantissa);
  if (*at == '.') {
    point = at++;
    at = digits(at, end, &mantissa);
    exponent = -(at - point - 1);
    if (exponent == 0) return NULL;
    whole = 0;
  }
  /* More digits would have made the mantissa wrap around. */
  if (at - first > MOST_DIGITS && counting(first, at, point) > MOST_DIGITS) return NULL;
  if (*at == 'e' || *at == 'E') {
    if ((at = exponent_of(at + 1, &exponent)) == NULL) return NULL;
    whole = 0;
  }
  if (!value_of(mantissa, exponent, found) || *found > largest) return NULL;
  if (negative && !(whole && mantissa == 0)) *found = -*found; /* -0 is an integer, and so 0 */
  return at;
}

/* ---- values, rows, bodies ------------------------------------------------------------------------ */

static const uint8_t *category(const struct plan *plan, int64_t feature, const uint8_t *at,
                               double *found) {
  const uint8_t *behind = string(at);
  if (behind == NULL) return NULL;
  int64_t word = find(plan, feature, at + 1, behind - at - 2);
  if (word < 0) return NULL;
  *found = plan->codes[word];
  return behind;
}

static const uint8_t *boolean(const uint8_t *at, double *found) {
  *found = *at == 't';
  return literal(at, *at == 't' ? "true" : "false");
}

static const uint8_t *value(const struct plan *plan, int64_t feature, const uint8_t *at,
                            const uint8_t *end, double *found) {
  if (*at == 'n') {
    *found = NAN;
    return plan->missing[feature] ? literal(at, "null") : NULL;
  }
  switch (plan->kinds[feature]) {
    case NUMBER: return number(at, end, plan->largest, found);
    case BOOLEAN: return boolean(at, found);
    case CATEGORY: return category(plan, feature, at, found);
    default: return NULL;
  }
}

/* [value, ...]: one for each feature, in order. */
static const uint8_t *list_row(const struct plan *plan, const uint8_t *at, const uint8_t *end,
                               double *row) {
  for (int64_t feature = 0; feature < plan->features; feature++) {
    if ((at = mark(at, feature == 0 ? '[' : ',')) == NULL) return NULL;
    if ((at = value(plan, feature, at, end, row + feature)) == NULL) return NULL;
  }
  return mark(at, ']');
}

/* {"name": value, ...}: each feature once, in whatever order. A NaN that no value has marks the
   features that are still to come; as many members as features, none twice, are all of them. */
static const uint8_t *object_row(const struct plan *plan, const uint8_t *at, const uint8_t *end,
                                 double *row) {
  static const uint64_t waiting = 0x7FF8DEADBEEF0001u;
  for (int64_t feature = 0; feature < plan->features; feature++)
    memcpy(row + feature, &waiting, sizeof waiting);
  for (int64_t member = 0; member < plan->features; member++) {
    if ((at = mark(at, member == 0 ? '{' : ',')) == NULL) return NULL;
    const uint8_t *behind = string(at);
    if (behind == NULL) return NULL;
    int64_t length = behind - at - 2, feature = member; /* most clients keep to the order */
    if (!is_word(plan, member, at + 1, length))
      feature = find(plan, plan->features, at + 1, length);
    if (feature < 0 || memcmp(row + feature, &waiting, sizeof waiting) != 0) return NULL;
    if ((at = mark(behind, ':')) == NULL) return NULL;
    if ((at = value(plan, feature, at, end, row + feature)) == NULL) return NULL;
  }
  return mark(at, '}');
}

static const uint8_t *any_row(const struct plan *plan, const uint8_t *at, const uint8_t *end,
                              double *row) {
  return *at == '{' ? object_row(plan, at, end, row) : list_row(plan, at, end, row);
}

/* [value, ...] of the only feature, each a row. */
static const uint8_t *flat_rows(const struct plan *plan, const uint8_t *at, const uint8_t *end,
                                double *matrix, int64_t room, int64_t *count) {
  do {
    if (*count == room) return NULL;
    if ((at = value(plan, 0, space(at + 1), end, matrix + *count)) == NULL) return NULL;
    ++*count;
    at = space(at);
  } while (*at == ',');
  return mark(at, ']');
}

static const uint8_t *rows(const struct plan *plan, const uint8_t *at, const uint8_t *end,
                           double *matrix, int64_t room, int64_t *count) {
  do {
    if (*count == room) return NULL;
    at = any_row(plan, space(at + 1), end, matrix + *count * plan->features);
    if (at == NULL) return NULL;
    ++*count;
  } while (*at == ',');
  return mark(at, ']');
}

/* Read {"key": row} or {"key": [row, ...]}, where a row is a list in the order of the features or
   an object by their names.

   body, length: the document, with a NUL behind it.
   key: with its quotes and a NUL.
   matrix: room for so many rows of as many values as there are features.

   Numbers are of 32 bits as ctypes passes them that is told no types, in half the time.
   Gives the number of rows, -1 for one that stands alone, and 0 where the body is not plainly right. */
int32_t decode_rows(const struct plan *plan, const uint8_t *body, int32_t length, const char *key,
                    double *matrix, int32_t room) {
  const uint8_t *at = body, *end = body + length;
  int64_t count = 0;
  if (room < 1 || (at = mark(at, '{')) == NULL || (at = literal(at, key)) == NULL) return 0;
  if ((at = mark(at, ':')) == NULL) return 0;
  const uint8_t *second = *at == '[' ? space(at + 1) : at;
  if (second != at && (*second == '[' || *second == '{')) {
    at = rows(plan, at, end, matrix, room, &count);
  } else if (second != at && plan->features == 1) {
    at = flat_rows(plan, at, end, matrix, room, &count);
    if (count == 1) count = -1; /* [5] is a row, [5, 6] are two */
  } else {
    at = any_row(plan, at, end, matrix);
    count = -1;
  }
  if (at == NULL || (at = mark(at, '}')) == NULL || at != end) return 0;
  return (int32_t)count; /* no more than `room` */
}

static double contribution(const struct terms *terms, int64_t feature, double value) {
  if (isnan(value)) return terms->missing[feature];
  if (terms->firsts[feature] < 0) return terms->factors[feature] * value;
  return terms->contributions[terms->firsts[feature] + (int64_t)value];
}

/* The same, and behind the room for the rows that for the answers of a linear model: one sum after the other, in the order
   of the features, so that a row has the same bits alone and among others, here and in NumPy. */
int32_t answer_rows(const struct plan *plan, const uint8_t *body, int32_t length, const char *key,
                    double *matrix, int32_t room) {
  const struct terms *terms = plan->terms;
  double *answers = matrix + room * plan->features;
  int32_t count = decode_rows(plan, body, length, key, matrix, room);
  for (int64_t row = 0; row < (count < 0 ? 1 : count); row++) {
    double sum = terms->intercept;
    for (int64_t feature = 0; feature < plan->features; feature++)
      sum += contribution(terms, feature, matrix[row * plan->features + feature]);
    answers[row] = sum;
  }
  return count;
}

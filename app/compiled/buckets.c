/* Token buckets that many processes draw from, without a lock that a killed or stopped one could hold.

   A bucket is one word of 64 bits, and every change of it one compare-and-swap:

     bits 63-48   the tag of its owner, never 0
     bit  47      whether it is only claimed
     bits 46-0    when it will be full again, in units of time since the start (the "theoretical
                  arrival time" of the generic cell rate algorithm); for a claim, a number that
                  nobody else uses

   The table has groups of eight words, a line of the processor's cache each. An owner's bucket is in
   its group, in whichever place; one that is not there is full. A bucket whose time has passed is
   full as well, so that its place may be taken.

   To take a place, a process first puts a claim there. Then it looks for its tag in the rest of the
   group: if another process has put the owner's bucket there, or a claim in a place before its own,
   it takes its claim back; a claim behind its own it removes. Only then its claim becomes a bucket,
   if nobody has removed it meanwhile. So there are never two buckets of one owner: of two processes
   that have both claimed, the second to look sees the claim of the first, and one of them gives way.
   A claim is only ever found by who made it, so that what a killed process leaves is a free place. */

#include <stdint.h>
#include <time.h>
#include <unistd.h>

typedef unsigned __int128 uint128;

enum { PLACES = 8, TAG_SHIFT = 48 };

#define CLAIMED ((uint64_t)1 << 47)
#define TIME (CLAIMED - 1)

_Static_assert(__atomic_always_lock_free(sizeof(uint64_t), 0), "words must change at once");

struct buckets {
  uint64_t *words;
  int64_t groups;      /* a power of two */
  int64_t numerator;   /* units of time in `denominator` nanoseconds */
  int64_t denominator;
  int64_t interval;    /* units until one more is allowed */
  int64_t most;        /* units until all that may come at once are */
  int64_t start;       /* by nanoseconds_now */
};

int64_t nanoseconds_now(void);

/* A test may stop here, and let others go on. */
#ifndef STEP
#define STEP()
#endif

static uint64_t load(const uint64_t *place) {
  STEP();
  return __atomic_load_n(place, __ATOMIC_SEQ_CST);
}

static int swap(uint64_t *place, uint64_t seen, uint64_t fresh) {
  STEP();
  return __atomic_compare_exchange_n(place, &seen, fresh, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static uint64_t tag_of(uint64_t word) { return word >> TAG_SHIFT; }

static int64_t time_of(uint64_t word) { return (int64_t)(word & TIME); }

/* A claim that equals no other: a process that was stopped must not take another's for its own. */
static uint64_t claim_of(uint64_t tag) {
  static uint64_t count;
  uint64_t number = __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
  return tag << TAG_SHIFT | CLAIMED | ((((uint64_t)getpid() << 25) | (number & 0x1FFFFFF)) & TIME);
}

/* The owner's bucket, and what is in it; NULL where there is none. */
static uint64_t *find(uint64_t *group, uint64_t tag, uint64_t *seen) {
  for (int place = 0; place < PLACES; place++) {
    *seen = load(group + place);
    if (tag_of(*seen) == tag && !(*seen & CLAIMED)) return group + place;
  }
  return NULL;
}

/* The first free place, else that of the bucket which lacks least; NULL where the owner has one. */
static uint64_t *place_for(uint64_t *group, uint64_t tag, int64_t now, uint64_t *seen) {
  uint64_t *found = NULL;
  int64_t least = INT64_MAX;
  for (int place = 0; place < PLACES; place++) {
    uint64_t word = load(group + place);
    if (tag_of(word) == tag && !(word & CLAIMED)) return NULL;
    int64_t due = word & CLAIMED || time_of(word) <= now ? 0 : time_of(word);
    if (due < least) {
      found = group + place;
      least = due;
      *seen = word;
    }
  }
  return found;
}

/* Whether the claim in this place is the only one of its owner, and there is no bucket. */
static int stands(uint64_t *group, uint64_t *mine, uint64_t tag) {
  for (uint64_t *other = group; other < group + PLACES; other++) {
    uint64_t word = load(other);
    if (other == mine || tag_of(word) != tag) continue;
    if (!(word & CLAIMED) || other < mine || !swap(other, word, 0)) return 0;
  }
  return 1;
}

/* Put a bucket where there was none; 0 if others were faster, and all is to be looked at again. */
static int put(uint64_t *group, uint64_t tag, int64_t now, uint64_t bucket) {
  uint64_t seen, claim = claim_of(tag);
  uint64_t *place = place_for(group, tag, now, &seen);
  if (place == NULL || !swap(place, seen, claim)) return 0;
  if (!stands(group, place, tag)) {
    swap(place, claim, 0);
    return 0;
  }
  return swap(place, claim, bucket);
}

static int64_t take(const struct buckets *buckets, uint64_t owner, int64_t count, int64_t now) {
  uint64_t *group = buckets->words + (owner & (uint64_t)(buckets->groups - 1)) * PLACES;
  uint64_t tag = tag_of(owner) ? tag_of(owner) : 1;
  if (now + buckets->most > (int64_t)TIME) return 0;
  for (;;) {
    uint64_t seen = 0, *place = find(group, tag, &seen);
    int64_t due = place != NULL && time_of(seen) > now ? time_of(seen) - now : 0;
    int64_t after = due + (count ? count : 1) * buckets->interval;
    if (after > buckets->most) return buckets->most - after;
    if (count == 0) return due;
    uint64_t bucket = tag << TAG_SHIFT | (uint64_t)(now + after);
    if (place != NULL ? swap(place, seen, bucket) : put(group, tag, now, bucket)) return after;
  }
}

/* Take so many tokens from the bucket of an owner.

   owner: a hash; its low bits choose the group, its high bits are the tag.
   count: 0 only looks whether one is left.
   nanoseconds: since the start.

   Gives the units of time until the bucket is full again; or, where there are too few tokens, minus
   those until there are enough, and nothing is taken. After 4 years or more, when the time does not
   fit into its bits any more, every bucket is full. */
int64_t take_tokens_at(const struct buckets *buckets, uint64_t owner, int32_t count,
                       int64_t nanoseconds) {
  uint128 scaled = (uint128)nanoseconds * (uint64_t)buckets->numerator;
  return take(buckets, owner, count, (int64_t)(scaled / (uint64_t)buckets->denominator));
}

/* The same now. Counts are of 32 bits, as ctypes passes them that is told no types. */
int64_t take_tokens(const struct buckets *buckets, uint64_t owner, int32_t count) {
  return take_tokens_at(buckets, owner, count, nanoseconds_now() - buckets->start);
}

/* By the clock that `start` is of: it only rises, and is the same for all processes. */
int64_t nanoseconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

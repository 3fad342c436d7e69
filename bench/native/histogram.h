/* Latencies in microseconds: 64 steps to each power of two, so a quantile is right to 1.6 %. */
#pragma once
#include <stdint.h>

enum { steps_log2 = 6, steps = 1 << steps_log2, powers = 40 };

struct histogram {
  uint64_t counts[powers * steps];
  uint64_t total;
  double max;
};

static inline uint32_t bucket_of(uint64_t us) {
  if (us < steps) return us;
  int power = 63 - __builtin_clzll(us);
  return (uint32_t)(power - steps_log2 + 1) * steps + (uint32_t)((us >> (power - steps_log2)) & (steps - 1));
}

static inline void record(struct histogram *h, double us) {
  uint32_t bucket = bucket_of(us < 0 ? 0 : (uint64_t)us);
  h->counts[bucket < powers * steps ? bucket : powers * steps - 1]++;
  h->total++;
  if (us > h->max) h->max = us;
}

/* The lower edge of the bucket that holds the quantile. */
static inline double quantile(const struct histogram *h, double q) {
  uint64_t rank = (uint64_t)(q * h->total), seen = 0;
  for (uint32_t b = 0; b < powers * steps; b++) {
    seen += h->counts[b];
    if (seen > rank) return b < steps ? b : (double)((uint64_t)(steps + b % steps) << (b / steps - 1));
  }
  return 0;
}

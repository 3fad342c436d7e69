/*
 * Load for HTTP ingest: N keep-alive connections that each send a batch of points, wait for the answer and send the next,
 * or, with --rate, batches at fixed times. One thread over epoll, and points are printed by memcpy and digit tables, so
 * that it needs a small part of what any server needs for the same points.
 *
 * Each connection has a share of the series to itself, as senders in the field do, so that a series' points arrive in
 * order. Point k of a share of n series belongs to its series k mod n and to the time start + (k div n) * step; its value
 * is the next step of a walk of that series with two decimals. With --skip the connections begin that many points later,
 * together: where a load before this one stopped, which may not have come to all of the series.
 *
 * With --rate a latency counts from when the batch was due, not from when it was sent: a server that stalls is charged
 * for the batches that had to wait.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "histogram.h"

enum format { LINE, JSON, NDJSON };

static struct {
  int port, connections;
  enum format format;
  uint32_t series, batch;
  double seconds, rate;
  uint64_t points, skip, start_ms, step_ms, seed;
  const char *path;
  char headers[4096];
} options = {.connections = 4, .series = 1000, .batch = 5000, .points = UINT64_MAX, .step_ms = 1, .seed = 1, .headers = ""};

/* Of each series: what stands before and after its value, and its walk in hundredths. */
static char *texts;
static uint32_t *text_at; /* S + 1 */
static int32_t *walk;
static uint64_t rng;
static uint64_t sent_points;

struct connection {
  int fd;
  uint32_t first_series, series; /* its share */
  uint64_t next_point, last_point;
  int busy;
  char *out;
  size_t out_length, out_sent;
  char in[8192];
  size_t in_length;
  double due;
  uint32_t points;
};

static struct histogram latencies;

static void fail(const char *format, ...) {
  va_list args;
  va_start(args, format);
  vfprintf(stderr, format, args);
  va_end(args);
  fputc('\n', stderr);
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void make_series(void) {
  texts = malloc((size_t)options.series * 128);
  text_at = malloc(sizeof(uint32_t) * (options.series + 1));
  walk = malloc(sizeof(int32_t) * options.series);
  if (!texts || !text_at || !walk) fail("not enough memory for %u series", options.series);
  size_t at = 0;
  for (uint32_t s = 0; s < options.series; s++) {
    text_at[s] = at;
    walk[s] = 2000 + (s * 2654435761u) % 6000;
    const char *text = options.format == LINE ? "cpu,host=web-%u,region=r%u,cluster=c%u usage="
      : "{\"metric_type\":\"cpu_usage\",\"labels\":{\"host\":\"web-%u\",\"region\":\"r%u\",\"cluster\":\"c%u\"},\"value\":";
    at += sprintf(texts + at, text, s, s % 10, s % 50);
  }
  text_at[options.series] = at;
}

static char *put_digits(char *out, uint64_t value) {
  char digits[20];
  int n = 0;
  do digits[n++] = '0' + value % 10; while ((value /= 10) > 0);
  while (n > 0) *out++ = digits[--n];
  return out;
}

/* A step of at most half a unit either way, turned back at 0 and 100. */
static char *put_value(char *out, uint32_t s) {
  rng ^= rng << 13, rng ^= rng >> 7, rng ^= rng << 17;
  int32_t value = walk[s] + (int32_t)((rng >> 33) % 101) - 50;
  if (value < 0) value = -value;
  if (value > 10000) value = 20000 - value;
  walk[s] = value;
  out = put_digits(out, value / 100);
  *out++ = '.';
  *out++ = '0' + value / 10 % 10;
  *out++ = '0' + value % 10;
  return out;
}

static char *put_point(char *out, uint32_t s, const char *time, size_t time_length) {
  size_t length = text_at[s + 1] - text_at[s];
  memcpy(out, texts + text_at[s], length);
  out = put_value(out + length, s);
  if (options.format == LINE) *out++ = ' ';
  else out = stpcpy(out, ",\"timestamp\":");
  memcpy(out, time, time_length);
  out += time_length;
  if (options.format != LINE) *out++ = '}';
  *out++ = options.format == JSON ? ',' : '\n';
  return out;
}

/* The length of a body is only known when it is printed, so the head is put in front of it afterwards. */
static void fill(struct connection *c) {
  enum { room = 4608 };
  uint64_t left = c->last_point - c->next_point;
  c->points = left < options.batch ? left : options.batch;
  char *body = c->out + room, *end = body;
  if (options.format == JSON) *end++ = '[';
  char time[24];
  size_t time_length = 0;
  for (uint32_t i = 0; i < c->points; i++, c->next_point++) {
    uint32_t s = c->next_point % c->series;
    if (i == 0 || s == 0)
      time_length = put_digits(time, options.start_ms + c->next_point / c->series * options.step_ms) - time;
    end = put_point(end, c->first_series + s, time, time_length);
  }
  sent_points += c->points;
  if (options.format == JSON) end[-1] = ']';
  char head[room];
  int length = snprintf(head, room, "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%sContent-Length: %zu\r\n\r\n", options.path,
                        options.port, options.headers, (size_t)(end - body));
  memcpy(body - length, head, length);
  c->out_sent = body - length - c->out;
  c->out_length = end - c->out;
}

static void flush_out(struct connection *c) {
  while (c->out_sent < c->out_length) {
    ssize_t n = send(c->fd, c->out + c->out_sent, c->out_length - c->out_sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) fail("send: %s", strerror(errno));
    c->out_sent += n;
  }
}

static void start(struct connection *c, double due) {
  fill(c);
  c->due = due > 0 ? due : now();
  c->busy = 1;
  flush_out(c);
}

/* Bytes of the answer when it is whole, else 0. Understands Content-Length, chunks and answers without a body. */
static size_t whole_answer(struct connection *c) {
  c->in[c->in_length] = 0;
  char *end = strstr(c->in, "\r\n\r\n");
  if (!end) return 0;
  size_t head = end + 4 - c->in;
  if (strncmp(c->in, "HTTP/1.1 2", 10) != 0) fail("refused: %.600s", c->in);
  if (strncmp(c->in + 9, "204", 3) == 0) return head;
  char *length = strcasestr(c->in, "\r\ncontent-length:");
  if (length && length < end) {
    size_t whole = head + strtoul(length + 17, NULL, 10);
    return c->in_length >= whole ? whole : 0;
  }
  char *last = strstr(c->in + head - 2, "\r\n0\r\n\r\n");
  return last ? (size_t)(last + 7 - c->in) : 0;
}

/* Whether an answer came in. */
static int receive(struct connection *c) {
  ssize_t n = recv(c->fd, c->in + c->in_length, sizeof c->in - 1 - c->in_length, 0);
  if (n < 0 && errno == EAGAIN) return 0;
  if (n <= 0) fail("the server closed a connection: %s", n < 0 ? strerror(errno) : "end");
  c->in_length += n;
  size_t whole = whole_answer(c);
  if (whole == 0) return 0;
  c->in_length -= whole;
  memmove(c->in, c->in + whole, c->in_length);
  record(&latencies, (now() - c->due) * 1e6);
  c->busy = 0;
  return 1;
}

/* Border of the shares of connection i − 1 and i, of `all` things. */
static uint64_t share(uint64_t all, int i) {
  return (unsigned __int128)all * i / options.connections;
}

static void dial(struct connection *c, int i, int epoll) {
  c->first_series = share(options.series, i);
  c->series = share(options.series, i + 1) - c->first_series;
  c->next_point = share(options.skip, i + 1) - share(options.skip, i);
  c->last_point = options.points == UINT64_MAX ? UINT64_MAX : c->next_point + share(options.points, i + 1) - share(options.points, i);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(options.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  c->fd = socket(AF_INET, SOCK_STREAM, 0);
  int one = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(c->fd, (struct sockaddr *)&to, sizeof to) != 0) fail("connect to port %d: %s", options.port, strerror(errno));
  fcntl(c->fd, F_SETFL, O_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
  epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event);
  c->out = malloc(8192 + (size_t)options.batch * 192);
  if (!c->out) fail("not enough memory for a batch of %u", options.batch);
}

static void parse(int argc, char **argv) {
  static const struct option known[] = {
    {"port", 1, 0, 'p'}, {"path", 1, 0, 'u'}, {"header", 1, 0, 'h'}, {"format", 1, 0, 'f'}, {"series", 1, 0, 's'},
    {"batch", 1, 0, 'b'}, {"connections", 1, 0, 'c'}, {"seconds", 1, 0, 't'}, {"points", 1, 0, 'n'}, {"rate", 1, 0, 'r'},
    {"start-ms", 1, 0, 'a'}, {"step-ms", 1, 0, 'd'}, {"seed", 1, 0, 'x'}, {"skip", 1, 0, 'k'}, {0}};
  for (int o; (o = getopt_long(argc, argv, "", known, NULL)) != -1;) switch (o) {
      case 'p': options.port = atoi(optarg); break;
      case 'u': options.path = optarg; break;
      case 'h':
        if (strlen(options.headers) + strlen(optarg) + 3 > sizeof options.headers) fail("too many headers");
        strcat(strcat(options.headers, optarg), "\r\n");
        break;
      case 'f': options.format = !strcmp(optarg, "line") ? LINE : !strcmp(optarg, "json") ? JSON : NDJSON; break;
      case 's': options.series = strtoul(optarg, NULL, 10); break;
      case 'b': options.batch = strtoul(optarg, NULL, 10); break;
      case 'c': options.connections = atoi(optarg); break;
      case 't': options.seconds = atof(optarg); break;
      case 'n': options.points = strtoull(optarg, NULL, 10); break;
      case 'r': options.rate = atof(optarg); break;
      case 'a': options.start_ms = strtoull(optarg, NULL, 10); break;
      case 'd': options.step_ms = strtoull(optarg, NULL, 10); break;
      case 'k': options.skip = strtoull(optarg, NULL, 10); break;
      case 'x': options.seed = strtoull(optarg, NULL, 10); break;
      default: exit(2);
    }
  if (!options.port || !options.path || !options.series || !options.batch || (!options.seconds && options.points == UINT64_MAX))
    fail("usage: load --port P --path U (--seconds T | --points N) [--header H] [--format line|json|ndjson] [--series S]\n"
         "  [--batch B] [--connections C] [--rate POINTS_PER_SECOND] [--start-ms T] [--step-ms D] [--seed X]\n"
         "  [--skip N]");
  if (options.series < (uint32_t)options.connections) fail("%d connections need at least as many series", options.connections);
}

/* Of the connections that are free and have points left, the one whose series stand at the earliest time. */
static struct connection *most_behind(struct connection *all) {
  struct connection *found = NULL;
  for (struct connection *c = all; c < all + options.connections; c++) {
    if (c->busy || c->next_point == c->last_point) continue;
    if (!found || c->next_point / c->series < found->next_point / found->series) found = c;
  }
  return found;
}

int main(int argc, char **argv) {
  parse(argc, argv);
  rng = options.seed * 0x9E3779B97F4A7C15u | 1;
  make_series();
  int epoll = epoll_create1(0);
  struct connection *all = calloc(options.connections, sizeof *all);
  for (int i = 0; i < options.connections; i++) dial(&all[i], i, epoll);

  double begun = now(), until = options.seconds > 0 ? begun + options.seconds : 1e18, due = begun;
  double gap = options.rate > 0 ? options.batch / options.rate : 0;
  int busy = 0;
  for (;;) {
    double t = now();
    while (t < until && sent_points < options.points && (gap == 0 || due <= t)) {
      struct connection *c = most_behind(all);
      if (!c) break;
      start(c, gap > 0 ? due : 0);
      due += gap;
      busy++;
    }
    if (busy == 0 && (t >= until || sent_points >= options.points)) break;
    double wait = gap > 0 && busy < options.connections && t < until ? (due > t ? due - t : 0) : 1;
    struct timespec patience = {.tv_sec = (time_t)wait, .tv_nsec = (long)((wait - (time_t)wait) * 1e9)};
    struct epoll_event events[256];
    int n = epoll_pwait2(epoll, events, 256, &patience, NULL);
    for (int i = 0; i < n; i++) {
      struct connection *c = events[i].data.ptr;
      if (events[i].events & EPOLLOUT && c->busy) flush_out(c);
      if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) busy -= receive(c);
    }
  }
  double seconds = now() - begun;
  uint64_t rounds = 0;
  for (int i = 0; i < options.connections; i++) {
    uint64_t begun_rounds = all[i].next_point / all[i].series + 1;
    if (begun_rounds > rounds) rounds = begun_rounds;
  }
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  printf("{\"points\":%lu,\"requests\":%lu,\"seconds\":%.4f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f,"
         "\"next_ms\":%lu,\"client_cpu_seconds\":%.2f}\n",
         sent_points, latencies.total, seconds, quantile(&latencies, 0.5) / 1000, quantile(&latencies, 0.99) / 1000,
         latencies.max / 1000, options.start_ms + rounds * options.step_ms,
         usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
  return 0;
}

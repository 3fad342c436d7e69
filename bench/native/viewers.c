/*
 * Many subscribers on one thread: connects, subscribes, counts what arrives, and answers what wants an answer. It parses
 * no more than the frame heads, so that two thousand viewers cost a part of a core.
 *
 *   viewers --mode nowcast|ws|socket.io|nats --port P --connections N [--path U] [--header H]… [--send TEXT]…
 *
 * Prints `ready` once all are subscribed. Each line on stdin is answered by the counters so far; the end of stdin ends it.
 * Modes: `nowcast` speaks the binary protocol, acknowledgements included (docs/protocol.md); `ws` counts the messages of a
 * WebSocket; `socket.io` is Engine.IO 4 over a WebSocket; `nats` subscribes to the subject `bench`.
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
#include <sys/socket.h>
#include <unistd.h>

enum mode { NOWCAST, WS, SOCKET_IO, NATS };
enum { most_sends = 64, buffer_bytes = 256 * 1024 };

static struct {
  enum mode mode;
  int port, connections, sends;
  const char *path, *send[most_sends];
  char headers[4096];
} options = {.path = "/"};

/* A viewer keeps only what was cut off; everything is read into one buffer that all share. */
struct viewer {
  int fd;
  int open;
  char *rest;
  uint32_t rest_length;
};

static uint64_t messages, payload_bytes, acks;
static int ready;
static char shared[buffer_bytes * 2];

static void fail(const char *format, ...) {
  va_list args;
  va_start(args, format);
  vfprintf(stderr, format, args);
  va_end(args);
  fputc('\n', stderr);
  exit(1);
}

/* What a viewer sends is small and rare: the socket takes it whole, or something is wrong. */
static void put(struct viewer *v, const void *bytes, size_t length) {
  if (send(v->fd, bytes, length, MSG_NOSIGNAL) != (ssize_t)length) fail("send: %s", strerror(errno));
}

/* A masked text frame; a mask of zeros leaves the text as it is. */
static void put_text(struct viewer *v, const char *text) {
  char frame[4096 + 8];
  size_t length = strlen(text), head = length < 126 ? 2 : 4;
  if (length > 4096) fail("a message up of %zu bytes", length);
  frame[0] = (char)0x81;
  frame[1] = (char)(0x80 | (length < 126 ? length : 126));
  if (length >= 126) frame[2] = (char)(length >> 8), frame[3] = (char)length;
  memset(frame + head, 0, 4);
  memcpy(frame + head + 4, text, length);
  put(v, frame, head + 4 + length);
}

static void dial(struct viewer *v, int epoll) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(options.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  v->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (v->fd < 0) fail("socket: %s", strerror(errno));
  int one = 1;
  setsockopt(v->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(v->fd, (struct sockaddr *)&to, sizeof to) != 0) fail("connect to port %d: %s", options.port, strerror(errno));
  fcntl(v->fd, F_SETFL, O_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = v};
  epoll_ctl(epoll, EPOLL_CTL_ADD, v->fd, &event);
  if (options.mode == NATS) return;
  char request[8192];
  int length = snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
                        options.path, options.port, options.headers);
  put(v, request, length);
}

static void subscribed(struct viewer *v) {
  for (int i = 0; i < options.sends; i++) put_text(v, options.send[i]);
  if (options.mode != SOCKET_IO) ready++;
}

static void on_nowcast(struct viewer *v, const uint8_t *frame, size_t length) {
  if (length < 2) return;
  if (frame[0] == 2) messages++, payload_bytes += length;
  if (!(frame[1] & 1) || frame[0] == 3) return;
  uint32_t n;
  memcpy(&n, frame + 2, 4);
  char ack[64];
  snprintf(ack, sizeof ack, "{\"type\":\"ack\",\"n\":%u}", n);
  put_text(v, ack);
  acks++;
}

static void on_socket_io(struct viewer *v, const uint8_t *frame, size_t length) {
  if (length == 0) return;
  if (frame[0] == '0') put_text(v, "40");
  else if (frame[0] == '2') put_text(v, "3");
  else if (frame[0] == '4' && length > 1 && frame[1] == '0') ready++;
  else if (frame[0] == '4') messages++, payload_bytes += length;
}

/* Handles the WebSocket frames that are whole; the bytes that were used. */
static size_t take_frames(struct viewer *v, const uint8_t *at, size_t length) {
  size_t used = 0;
  for (;;) {
    const uint8_t *f = at + used;
    size_t left = length - used, head = 2, body;
    if (left < 2) return used;
    body = f[1] & 127;
    if (body == 126) {
      if (left < (head = 4)) return used;
      body = (size_t)f[2] << 8 | f[3];
    } else if (body == 127) {
      if (left < (head = 10)) return used;
      body = 0;
      for (int i = 2; i < 10; i++) body = body << 8 | f[i];
    }
    if (left < head + body) return used;
    int opcode = f[0] & 15;
    if (opcode == 8) fail("the server closed a socket: %.*s", (int)(body > 2 ? body - 2 : 0), (const char *)f + head + 2);
    if (opcode == 9) {
      uint8_t pong[6 + 125] = {0x8a, (uint8_t)(0x80 | body)};
      memcpy(pong + 6, f + head, body);
      put(v, pong, 6 + body);
    } else if (options.mode == NOWCAST) on_nowcast(v, f + head, body);
    else if (options.mode == SOCKET_IO) on_socket_io(v, f + head, body);
    else messages++, payload_bytes += body;
    used += head + body;
  }
}

static size_t take_upgrade(struct viewer *v, const uint8_t *at, size_t length) {
  const uint8_t *end = memmem(at, length, "\r\n\r\n", 4);
  if (!end) return 0;
  if (memcmp(at, "HTTP/1.1 101", 12) != 0) fail("not upgraded: %.*s", (int)(length < 400 ? length : 400), (const char *)at);
  v->open = 1;
  subscribed(v);
  return end + 4 - at;
}

/* One line is INFO, PING, +OK or `MSG bench 1 512`, behind which come its bytes. */
static size_t take_nats(struct viewer *v, const uint8_t *at, size_t length) {
  size_t used = 0;
  for (;;) {
    const uint8_t *line = at + used, *end = memmem(line, length - used, "\r\n", 2);
    if (!end) return used;
    size_t next = end + 2 - at;
    if (memcmp(line, "MSG ", 4) == 0) {
      const uint8_t *number = memrchr(line, ' ', end - line);
      size_t body = strtoul((const char *)number + 1, NULL, 10);
      if (length - next < body + 2) return used;
      messages++, payload_bytes += body;
      next += body + 2;
    } else if (memcmp(line, "PING", 4) == 0) put(v, "PONG\r\n", 6);
    else if (memcmp(line, "PONG", 4) == 0) ready++;
    else if (memcmp(line, "INFO", 4) == 0) {
      static const char hello[] = "CONNECT {\"verbose\":false}\r\nSUB bench 1\r\nPING\r\n";
      put(v, hello, sizeof hello - 1);
    } else if (memcmp(line, "-ERR", 4) == 0) fail("nats: %.*s", (int)(end - line), (const char *)line);
    used = next;
  }
}

static void receive(struct viewer *v) {
  if (v->rest_length) memcpy(shared, v->rest, v->rest_length);
  ssize_t n = recv(v->fd, shared + v->rest_length, sizeof shared - v->rest_length - 1, 0);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) fail("a connection was closed: %s", n < 0 ? strerror(errno) : "end");
  size_t length = v->rest_length + n, used = 0;
  const uint8_t *at = (const uint8_t *)shared;
  shared[length] = 0;
  if (options.mode == NATS) used = take_nats(v, at, length);
  else {
    if (!v->open) used = take_upgrade(v, at, length);
    if (v->open) used += take_frames(v, at + used, length - used);
  }
  v->rest_length = length - used;
  if (v->rest_length > buffer_bytes) fail("a message of more than %d bytes", buffer_bytes);
  v->rest = v->rest_length ? realloc(v->rest, v->rest_length) : (free(v->rest), NULL);
  if (v->rest_length) memcpy(v->rest, at + used, v->rest_length);
}

static void parse(int argc, char **argv) {
  static const struct option known[] = {{"mode", 1, 0, 'm'}, {"port", 1, 0, 'p'}, {"connections", 1, 0, 'c'},
                                        {"path", 1, 0, 'u'}, {"header", 1, 0, 'h'}, {"send", 1, 0, 's'}, {0}};
  for (int o; (o = getopt_long(argc, argv, "", known, NULL)) != -1;) switch (o) {
      case 'm':
        options.mode = !strcmp(optarg, "nowcast") ? NOWCAST : !strcmp(optarg, "nats") ? NATS
                     : !strcmp(optarg, "socket.io") ? SOCKET_IO : WS;
        break;
      case 'p': options.port = atoi(optarg); break;
      case 'c': options.connections = atoi(optarg); break;
      case 'u': options.path = optarg; break;
      case 'h':
        if (strlen(options.headers) + strlen(optarg) + 3 > sizeof options.headers) fail("too many headers");
        strcat(strcat(options.headers, optarg), "\r\n");
        break;
      case 's':
        if (options.sends == most_sends) fail("too many messages");
        options.send[options.sends++] = optarg;
        break;
      default: exit(2);
    }
  if (!options.port || !options.connections) fail("usage: viewers --mode M --port P --connections N [--path U] …");
}

int main(int argc, char **argv) {
  parse(argc, argv);
  int epoll = epoll_create1(0), dialed = 0, told = 0;
  struct viewer *all = calloc(options.connections, sizeof *all);
  struct epoll_event stdin_event = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &stdin_event);
  for (;;) {
    /* At most a hundred that are not subscribed yet: no server's accept queue overflows. */
    while (dialed < options.connections && dialed - ready < 100) dial(&all[dialed++], epoll);
    if (!told && ready == options.connections) {
      puts("ready");
      fflush(stdout);
      told = 1;
    }
    struct epoll_event events[1024];
    int n = epoll_wait(epoll, events, 1024, 1000);
    for (int i = 0; i < n; i++) {
      if (events[i].data.ptr) {
        receive(events[i].data.ptr);
        continue;
      }
      char line[64];
      if (read(0, line, sizeof line) <= 0) return 0;
      printf("{\"messages\":%lu,\"payload_bytes\":%lu,\"acks\":%lu}\n", messages, payload_bytes, acks);
      fflush(stdout);
    }
  }
}

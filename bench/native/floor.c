/*
 * The floor of fan-out: the least that any server does which sends one WebSocket frame to each viewer and reads their
 * acknowledgements. One thread, one prepared frame, one send() a viewer and tick; it asks for an acknowledgement twice a
 * second, as Nowcast does, and reads it without looking at it.
 *
 *   floor PORT BYTES HZ
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { most = 65536 };
static int viewers[most], count;
static uint8_t frame[65536];
static size_t frame_length;
static uint32_t tick, hz;

static void make_frame(size_t bytes) {
  frame[0] = 0x82;
  frame[1] = 126;
  frame[2] = bytes >> 8;
  frame[3] = bytes & 255;
  memset(frame + 4, 'x', bytes);
  frame[4] = 2;
  frame_length = 4 + bytes;
}

static void drop(int i) {
  close(viewers[i]);
  viewers[i] = viewers[--count];
}

static void broadcast(void) {
  frame[5] = ++tick % (hz / 2 ? hz / 2 : 1) == 0;
  memcpy(frame + 6, &tick, 4);
  for (int i = 0; i < count; i++)
    if (send(viewers[i], frame, frame_length, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN) drop(i--);
}

int main(int argc, char **argv) {
  if (argc != 4) return fprintf(stderr, "usage: floor PORT BYTES HZ\n"), 2;
  make_frame(atoi(argv[2]));
  hz = atoi(argv[3]);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1, epoll = epoll_create1(0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, 4096) != 0) return perror("listen"), 1;
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  struct timespec gap = {.tv_nsec = 1000000000 / hz};
  timerfd_settime(timer, 0, &(struct itimerspec){.it_interval = gap, .it_value = gap}, NULL);
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN, .data.fd = listener});
  epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &(struct epoll_event){.events = EPOLLIN, .data.fd = timer});
  for (;;) {
    struct epoll_event events[1024];
    int n = epoll_wait(epoll, events, 1024, -1);
    for (int i = 0; i < n; i++) {
      int fd = events[i].data.fd;
      if (fd == timer) {
        uint64_t times;
        if (read(timer, &times, sizeof times) > 0) broadcast();
      } else if (fd == listener) {
        for (int viewer; (viewer = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;)
          epoll_ctl(epoll, EPOLL_CTL_ADD, viewer, &(struct epoll_event){.events = EPOLLIN, .data.fd = viewer});
      } else {
        char in[4096];
        ssize_t length = recv(fd, in, sizeof in, 0);
        /* What begins like this is its upgrade; everything later is a frame. */
        if (length > 3 && memcmp(in, "GET", 3) == 0 && count < most) {
          static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
          if (send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL) > 0) viewers[count++] = fd;
        } else if (length == 0 || (length < 0 && errno != EAGAIN)) epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
      }
    }
  }
}

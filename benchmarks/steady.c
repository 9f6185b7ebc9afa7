/* Answers every request with the same, and uses the same CPU time for each.

   steady PORT MICROSECONDS: what a service on 127.0.0.1 that costs as much as another, and always as
   much, would have for latencies here. A request is what arrives at once, which is so for the short
   ones that are sent at a pace. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 64, ROOM = 1 << 16 };

static const char ANSWER[] = "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"y\":206.1100}";

static void fail(const char *why) {
  perror(why);
  exit(1);
}

static double used(void) {
  struct timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void watch(int queue, int socket) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = socket};
  if (socket < 0 || epoll_ctl(queue, EPOLL_CTL_ADD, socket, &event)) fail("no connection");
}

int main(int count, char **arguments) {
  if (count != 3) return 2;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[1]))};
  int listener = socket(AF_INET, SOCK_STREAM, 0), queue = epoll_create1(0), on = 1;
  double cost = atof(arguments[2]) * 1e-6, spent = used();
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, MOST))
    fail("the port cannot be had");
  watch(queue, listener);
  for (;;) {
    struct epoll_event events[MOST];
    char request[ROOM];
    int arrived = epoll_wait(queue, events, MOST, -1);
    for (int event = 0; event < arrived; event++) {
      int from = events[event].data.fd;
      if (from == listener) {
        int client = accept(listener, NULL, NULL);
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(queue, client);
      } else if (read(from, request, sizeof request) <= 0) {
        close(from);
      } else {
        /* From answer to answer, so that waking up, reading and writing are in it */
        while (used() - spent < cost) continue;
        spent = used();
        if (write(from, ANSWER, sizeof ANSWER - 1) < 0) close(from);
      }
    }
  }
}

/* Refuses every request, and does nothing else: the least that refusing costs on this machine.

   refuse PORT answers each connection that has sent something with 503, sends no more, and throws away
   what still comes until the client hangs up. At SIGTERM it prints how many it has refused and the
   seconds of CPU that took. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 1 << 16, EVENTS = 256, LOOK = 4096 };
static const char answer[] =
    "HTTP/1.1 503 SERVICE UNAVAILABLE\r\nRetry-After: 1\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
static volatile sig_atomic_t ended;
static char answered[MOST], bytes[1 << 20];
static long refused;
static int queue;

static void end(int number) { ended = number; }

static void fail(const char *why) {
  perror(why);
  exit(1);
}

static void watch(int socket) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = socket};
  if (epoll_ctl(queue, EPOLL_CTL_ADD, socket, &event)) fail("epoll_ctl");
}

static void take(int listener) {
  for (int count = 0; count < EVENTS; count++) {
    int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (client < 0) return;
    if (client >= MOST) fail("too many connections");
    answered[client] = 0;
    watch(client);
  }
}

static void serve(int client) {
  if (!answered[client]) {
    int together = 1 << 18;
    if (recv(client, bytes, LOOK, MSG_PEEK) > 0) {
      refused += send(client, answer, sizeof answer - 1, MSG_NOSIGNAL | MSG_MORE) > 0;
      shutdown(client, SHUT_WR);
      setsockopt(client, SOL_SOCKET, SO_RCVLOWAT, &together, sizeof together);
      answered[client] = 1;
      return;
    }
  }
  for (int count = 0; count < 4; count++) {
    ssize_t size = recv(client, bytes, sizeof bytes, MSG_TRUNC);
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) {
      close(client);
      return;
    }
  }
}

int main(int count, char **arguments) {
  if (count != 2) return fputs("refuse PORT\n", stderr), 2;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(arguments[1]))};
  struct sigaction action = {.sa_handler = end};
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 2048)) fail("listen");
  queue = epoll_create1(0);
  watch(listener);
  sigaction(SIGTERM, &action, NULL);
  while (!ended) {
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(queue, events, EVENTS, -1);
    for (int event = 0; event < ready; event++) {
      if (events[event].data.fd == listener)
        take(listener);
      else
        serve(events[event].data.fd);
    }
  }
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  printf("%ld %f\n", refused,
         (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
             (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6);
  return 0;
}

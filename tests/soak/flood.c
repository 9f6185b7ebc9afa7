/* Sends requests when they are due, whatever became of those before: an open loop.

   flood PORT CONNECTIONS RATE SECONDS FILE sends the bytes of the file, one request, RATE times a
   second, each on the connection that has had nothing to do for longest, as clients are who ask now
   and then; where all are busy, it waits for one. A connection that the service closes is opened
   again. For each request three doubles go to standard
   output: when it was sent, in seconds from the beginning; how long its answer took, from then on;
   and the status, 0 where the connection ended without one. Requests that found no free connection
   until the end are counted on standard error. It never sleeps: where its core was idle all the same,
   the machine stood still. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD = 4096, MOST = 20000, EVENTS = 256 };
static const double LAST = 5; /* seconds in which answers may still come at the end */

struct connection {
  int socket, busy;
  double sent;
  size_t done, have, left; /* bytes of the request sent, of the head read, of the body to come */
  char head[HEAD];
};

static struct connection *all;
static int *idle, idle_first, idle_count, connections, queue, port; /* idle: a ring */
static char *request;
static size_t length;
static double begin;

static void fail(const char *why) {
  fprintf(stderr, "%s: %s\n", why, strerror(errno));
  exit(1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void connect_again(struct connection *one) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = one};
  int on = 1;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (one->socket >= 0) close(one->socket);
  one->socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (one->socket < 0) fail("socket");
  setsockopt(one->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(one->socket, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS)
    fail("connect");
  if (epoll_ctl(queue, EPOLL_CTL_ADD, one->socket, &event)) fail("epoll_ctl");
}

static void send_more(struct connection *one) {
  while (one->busy && one->done < length) {
    ssize_t sent = send(one->socket, request + one->done, length - one->done, MSG_NOSIGNAL);
    if (sent < 0) return; /* what went wrong is told when it is read from */
    one->done += (size_t)sent;
  }
}

static void ends(struct connection *one, int status, int again) {
  if (one->busy) {
    double told[3] = {one->sent - begin, now() - one->sent, status};
    fwrite(told, sizeof told, 1, stdout);
    one->busy = 0;
    idle[(idle_first + idle_count++) % connections] = (int)(one - all);
  }
  if (again) connect_again(one);
}

/* Take what has arrived; an answer ends when it is whole. */
static void receive(struct connection *one) {
  static char rest[1 << 18];
  for (;;) {
    int in_head = one->left == 0;
    char *to = in_head ? one->head + one->have : rest;
    ssize_t more = recv(one->socket, to, in_head ? HEAD - 1 - one->have : sizeof rest, 0);
    if (more < 0 && errno == EAGAIN) return;
    if (more <= 0) {
      ends(one, 0, 1);
      return;
    }
    if (in_head) {
      one->head[one->have += (size_t)more] = 0;
      char *end = strstr(one->head, "\r\n\r\n"), *size = strcasestr(one->head, "content-length:");
      if (end == NULL || size == NULL) continue;
      size_t whole = (size_t)(end + 4 - one->head) + strtoul(size + 15, NULL, 10);
      one->left = whole > one->have ? whole - one->have : 0;
    } else
      one->left = (size_t)more < one->left ? one->left - (size_t)more : 0;
    if (one->left == 0) {
      int status = atoi(one->head + 9);
      ends(one, status, one->done < length || strcasestr(one->head, "connection: close") != NULL);
      one->have = 0;
      return;
    }
  }
}

static void start(struct connection *one) {
  one->busy = 1;
  one->sent = now();
  one->done = one->have = one->left = 0;
  send_more(one);
}

int main(int count, char **arguments) {
  if (count != 6) return fputs("flood PORT CONNECTIONS RATE SECONDS FILE\n", stderr), 2;
  port = atoi(arguments[1]);
  connections = atoi(arguments[2]);
  double rate = atof(arguments[3]), seconds = atof(arguments[4]);
  FILE *file = fopen(arguments[5], "rb");
  if (file == NULL || connections < 1 || connections > MOST) fail("arguments");
  fseek(file, 0, SEEK_END);
  length = (size_t)ftell(file);
  rewind(file);
  request = malloc(length);
  all = calloc((size_t)connections, sizeof *all);
  idle = malloc((size_t)connections * sizeof *idle);
  if (request == NULL || all == NULL || idle == NULL || fread(request, 1, length, file) != length)
    fail("reading the request");
  queue = epoll_create1(0);
  begin = now();
  for (int place = 0; place < connections; place++) {
    all[place].socket = -1;
    idle[place] = place;
  }
  idle_count = connections;
  double due = 0;
  while (now() - begin < seconds + (idle_count < connections ? LAST : 0)) {
    double since = now() - begin;
    while (since < seconds && idle_count && since >= due) {
      struct connection *one = all + idle[idle_first];
      idle_first = (idle_first + 1) % connections;
      idle_count--;
      if (one->socket < 0) connect_again(one);
      start(one);
      due += 1 / rate;
    }
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(queue, events, EVENTS, 0);
    for (int event = 0; event < ready; event++) {
      struct connection *one = events[event].data.ptr;
      if (events[event].events & EPOLLOUT) send_more(one);
      if (events[event].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(one);
    }
  }
  fprintf(stderr, "%.0f\n", due < seconds ? (seconds - due) * rate : 0);
  return 0;
}

/* Sends each request when it is due, or as soon after as a connection is free.

   paced PORT CONNECTIONS FILE: the file holds the number of requests and of times, both of 64 bits;
   the length of each request, of 64 bits, and its bytes; and the times, in seconds from the
   beginning, as doubles. To standard output go doubles: for how many seconds this program stood
   still, and latencies, counted from when a request was due, in the order in which requests were
   answered. Between two events it spins, so that it wakes on time; where a turn of that takes far
   longer than its work, somebody else had the core. All that is due comes later by as much then, and
   requests that were on their way have no latency: none of it is the service's doing. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 64, ROOM = 1 << 16 };
static const double TURN = 50e-6; /* more than a turn with all connections takes */

struct connection {
  int socket, blurred; /* whether we stood still while its request was on its way */
  double due;
  size_t have;
  char answer[ROOM];
};

static struct connection connections[MOST];

static void fail(const char *why) {
  fprintf(stderr, "%s\n", why);
  exit(1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void *get(FILE *file, size_t size) {
  void *found = malloc(size ? size : 1);
  if (found == NULL || fread(found, 1, size, file) != size) fail("the file ends early");
  return found;
}

static int64_t number(FILE *file) {
  int64_t *found = get(file, sizeof *found), value = *found;
  free(found);
  return value;
}

static int connected(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  int made = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (made < 0 || connect(made, (struct sockaddr *)&address, sizeof address))
    fail("the service takes no connection");
  setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return made;
}

/* Whether all of an answer is here; one that is no success ends the program. */
static int is_whole(struct connection *from) {
  ssize_t more = read(from->socket, from->answer + from->have, ROOM - 1 - from->have);
  if (more <= 0) fail("a connection was closed");
  from->have += (size_t)more;
  from->answer[from->have] = 0;
  char *end = strstr(from->answer, "\r\n\r\n");
  if (end == NULL) return 0;
  if (strncmp(from->answer, "HTTP/1.1 200", 12)) fail("an answer is not what was asked for");
  char *length = strcasestr(from->answer, "\r\ncontent-length:");
  if (length == NULL || length > end) fail("an answer has no length");
  size_t size = (size_t)(end - from->answer) + 4 + strtoul(length + 17, NULL, 10);
  if (size >= ROOM) fail("an answer is too long");
  return from->have >= size;
}

int main(int count, char **arguments) {
  if (count != 4) fail("paced PORT CONNECTIONS FILE");
  int port = atoi(arguments[1]), ready = atoi(arguments[2]), queue = epoll_create1(0);
  FILE *file = fopen(arguments[3], "rb");
  if (file == NULL || ready < 1 || ready > MOST) fail("no such file, or too many connections");
  int64_t requests = number(file), times = number(file);
  int64_t *lengths = malloc((size_t)requests * sizeof *lengths);
  char **texts = malloc((size_t)requests * sizeof *texts);
  for (int64_t place = 0; place < requests; place++) {
    lengths[place] = number(file);
    texts[place] = get(file, (size_t)lengths[place]);
  }
  double *due = get(file, (size_t)times * sizeof *due), *taken = malloc((size_t)times * sizeof *taken);
  int idle[MOST];
  for (int place = 0; place < ready; place++) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)place};
    connections[place].socket = connected(port);
    epoll_ctl(queue, EPOLL_CTL_ADD, connections[place].socket, &event);
    idle[place] = place;
  }
  double begin = now() + 0.01, turn = now(), still = 0;
  int64_t seen = 0;
  for (int64_t sent = 0, answered = 0; answered < times;) {
    double since = now() - turn;
    turn += since;
    if (since > TURN) {
      still += since;
      begin += since;
      for (int place = 0; place < MOST; place++) connections[place].blurred = 1;
    }
    if (sent < times && ready && turn - begin >= due[sent]) {
      struct connection *to = connections + idle[--ready];
      int64_t which = sent % requests;
      to->due = due[sent++];
      to->have = 0;
      to->blurred = 0;
      if (write(to->socket, texts[which], (size_t)lengths[which]) != lengths[which])
        fail("a request could not be sent whole");
    }
    struct epoll_event events[MOST];
    int arrived = epoll_wait(queue, events, MOST, 0);
    for (int event = 0; event < arrived; event++) {
      struct connection *from = connections + events[event].data.u32;
      if (!is_whole(from)) continue;
      answered++;
      if (!from->blurred) taken[seen++] = now() - begin - from->due;
      idle[ready++] = (int)events[event].data.u32;
    }
  }
  fwrite(&still, sizeof still, 1, stdout);
  fwrite(taken, sizeof *taken, (size_t)seen, stdout);
  return 0;
}

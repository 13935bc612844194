// Hazard 4: pthread_cancel of twelve blocked calls: before they block, while they do, and of
// asynchronous type. Cleanup handlers run in order and the thread's result is PTHREAD_CANCELED.
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include "guest.h"

static int pipes[2], pair[2], listener, epoll, queue;
static pid_t child;
static sem_t never;
static char byte;

static void call_read(void) { (void)!read(pipes[0], &byte, 1); }
static void call_recv(void) { (void)!recv(pair[0], &byte, 1, 0); }
static void call_accept(void) { accept(listener, NULL, NULL); }
static void call_poll(void) {
  struct pollfd p = {pipes[0], POLLIN, 0};
  poll(&p, 1, -1);
}
static void call_select(void) {
  fd_set set;
  FD_ZERO(&set);
  FD_SET(pipes[0], &set);
  select(pipes[0] + 1, &set, NULL, NULL, NULL);
}
static void call_epoll(void) {
  struct epoll_event e;
  epoll_wait(epoll, &e, 1, -1);
}
static void call_nanosleep(void) {
  struct timespec t = {1000, 0};
  nanosleep(&t, NULL);
}
static void call_pause(void) { pause(); }
static void call_sigsuspend(void) {
  sigset_t none;
  sigemptyset(&none);
  sigsuspend(&none);
}
static void call_waitpid(void) {
  int status;
  waitpid(child, &status, 0);
}
static void call_sem(void) { sem_wait(&never); }
static void call_msgrcv(void) {
  struct {
    long kind;
    char text[8];
  } m;
  (void)!msgrcv(queue, &m, 8, 7, 0);
}

static const struct {
  const char* name;
  void (*call)(void);
} cases[] = {
    {"read", call_read},           {"recv", call_recv},     {"accept", call_accept},
    {"poll", call_poll},           {"select", call_select}, {"epoll_wait", call_epoll},
    {"nanosleep", call_nanosleep}, {"pause", call_pause},   {"sigsuspend", call_sigsuspend},
    {"waitpid", call_waitpid},     {"sem_wait", call_sem},  {"msgrcv", call_msgrcv}};

struct Job {
  int which, early, async;
  pid_t tid;
  sem_t ready, go;
  char order[8];
};

static void first(void* job) { strcat(((struct Job*)job)->order, "1"); }
static void second(void* job) {
  strcat(((struct Job*)job)->order, "2");
  getppid();
}

static void* work(void* data) {
  struct Job* job = data;
  int old;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
  job->tid = gettid();
  sem_post(&job->ready);
  if (job->early) sem_wait(&job->go);
  pthread_cleanup_push(first, job);
  pthread_cleanup_push(second, job);
  if (job->async) pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
  pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old);
  cases[job->which].call();
  pthread_cleanup_pop(0);
  pthread_cleanup_pop(0);
  return NULL;
}

int main(void) {
  must(pipe(pipes) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  listener = socket(AF_UNIX, SOCK_STREAM, 0);
  struct sockaddr_un address = {AF_UNIX, "cancel.sock"};
  must(bind(listener, (struct sockaddr*)&address, sizeof address) == 0 && listen(listener, 1) == 0);
  epoll = epoll_create1(0);
  queue = msgget(IPC_PRIVATE, 0600);
  must(queue >= 0);
  child = fork();
  if (child == 0)
    for (;;) pause();
  sem_init(&never, 0, 0);
  for (unsigned which = 0; which < sizeof cases / sizeof *cases; which++) {
    int cancelled = 0, ordered = 0;
    for (int round = 0; round < 8; round++) {
      struct Job job = {.which = which, .early = round & 1, .async = round >= 4};
      sem_init(&job.ready, 0, 0);
      sem_init(&job.go, 0, 0);
      pthread_t thread;
      must(pthread_create(&thread, NULL, work, &job) == 0);
      sem_wait(&job.ready);
      if (!job.early) wait_until_blocked(getpid(), job.tid, -1);
      pthread_cancel(thread);
      if (job.early) sem_post(&job.go);
      void* result;
      pthread_join(thread, &result);
      cancelled += result == PTHREAD_CANCELED;
      ordered += strcmp(job.order, "21") == 0;
    }
    say("%s: cancelled %d, in order %d", cases[which].name, cancelled, ordered);
  }
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  msgctl(queue, IPC_RMID, NULL);
  unlink("cancel.sock");
  return 0;
}

// Hazard 13: who closes, counts or lists everything sees only what is the program's.
#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include "guest.h"

static void list(const char* when) {
  int numbers[64], count = 0;
  DIR* folder = opendir("/proc/self/fd");
  for (struct dirent* entry; (entry = readdir(folder)) && count < 64;)
    if (entry->d_name[0] != '.') numbers[count++] = atoi(entry->d_name);
  closedir(folder);
  char text[300] = "";
  for (int i = 0; i < count; i++) sprintf(text + strlen(text), " %d", numbers[i]);
  say("%s:%s", when, text);
}

static void edge(void) {
  struct rlimit few = {10, 10};
  setrlimit(RLIMIT_NOFILE, &few);
  int opened = 0;
  while (open("/dev/null", O_RDONLY) >= 0) opened++;
  say("opened %d, then errno %d, calls go on %d", opened, errno, getppid() > 0);
  for (int i = 0; i < 1000; i++) raw(SYS_getppid);
}

int main(void) {
  list("start");
  say("lowest %d %d %d", open("/dev/null", O_RDONLY), dup(0), open("/", O_RDONLY));
  int closed = 0;
  for (int fd = 3; fd < 4096; fd++) closed += close(fd) == 0;
  say("closed %d", closed);
  list("after the loop");
  must(raw(SYS_close_range, 3, ~0u, 0) == 0);
  for (int i = 0; i < 2000; i++) raw(SYS_getppid);
  list("after close_range");
  int over = 0;
  for (int fd = 3; fd < 1024; fd++) over += dup2(0, fd) == fd;
  say("dup2 over %d", over);
  for (int i = 0; i < 2000; i++) raw(SYS_getppid);
  closefrom(3);
  say("lowest %d", open("/dev/zero", O_RDONLY));
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  int high = limit.rlim_cur - 1 < 100000 ? (int)limit.rlim_cur - 1 : 100000;
  say("highest %d, over it %d", dup2(0, high) == high, dup2(0, high + 1) < 0 || high == 100000);
  close(high);
  must(raw(SYS_close_range, 0, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */) == 0);
  in_child("at the edge", edge);
  in_child("at the edge again", edge);
  for (int fd = 3; fd < 64; fd++) close(fd);
  list("end");
  return 0;
}

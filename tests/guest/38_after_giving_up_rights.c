// Hazard 38: after chroot, setuid, a new pid namespace: threads and forks still work.
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include "guest.h"

static void* calls(void* right) {
  for (int i = 0; i < 20000; i++) *(long*)right += raw(SYS_gettid) > 0;
  return NULL;
}
static int threads_and_forks(void) {
  int good = 0;
  for (int i = 0; i < 3; i++) {
    pthread_t thread;
    long right = 0;
    if (pthread_create(&thread, NULL, calls, &right) == 0) pthread_join(thread, NULL);
    good += right == 20000;
    pid_t pid = fork();
    if (pid == 0) {
      right = 0;
      calls(&right);
      _exit(right == 20000 ? 9 : 8);
    }
    int status = 0;
    good += waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 9;
  }
  return good;
}
static void in_chroot(void) {
  mkdir("jail", 0700);
  if (chroot("jail") != 0) _exit(77);
  must(chdir("/") == 0);
  int good = threads_and_forks();
  _exit(access("/proc", F_OK) == 0 ? 80 : good);
}
static void other_user(void) {
  if (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0) _exit(77);
  int good = threads_and_forks();
  _exit(open("/etc/shadow", O_RDONLY) >= 0 ? 80 : good);
}
static void without_proc_and_shm(void) {
  if (unshare(CLONE_NEWNS) != 0) _exit(77);
  mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
  mkdir("hidden", 0700);
  mount("hidden", "/dev/shm", NULL, MS_BIND, NULL);
  must(mount("hidden", "/proc", NULL, MS_BIND, NULL) == 0);
  _exit(threads_and_forks());
}
static void read_only(void) {
  if (unshare(CLONE_NEWNS) != 0) _exit(77);
  mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
  must(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
  _exit(threads_and_forks());
}

int main(void) {
  in_child("chroot", in_chroot);
  in_child("another user", other_user);
  in_child("no proc, no shm", without_proc_and_shm);
  in_child("read-only root", read_only);
  return 0;
}

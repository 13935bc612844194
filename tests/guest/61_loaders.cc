// Hazard 61: who comes first in the loader's list, whose functions a library calls before main, and
// programs whose loader is another one or can't see what we would have it load.
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <link.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

extern "C" {
#include "guest.h"
}

static bool in_main;
static int too_early;

// A sanitizer's program has these of its own, and they don't work before it is ready.
extern "C" int dl_iterate_phdr(int (*)(struct dl_phdr_info*, size_t, void*), void*) {
  if (!in_main) too_early++;
  return 0;
}
extern "C" pid_t getppid(void) noexcept {
  if (!in_main) too_early++;
  return 1;
}
extern "C" size_t strlen(const char* s) {
  size_t n = 0;
  while (s[n]) n++;
  return n;
}

static void list(const link_map* object) {
  for (int i = 0; object && i < 2; object = object->l_next) {
    char name[PATH_MAX];
    snprintf(name, sizeof name, "%s", object->l_name);
    const char* base = basename(name);
    if (!*object->l_name || !strncmp(base, "linux-vdso", 10)) continue;
    say("object %d is %s", i++, base);
  }
}

static char folder[PATH_MAX];
static char path[PATH_MAX + 40];
static char* const argv[] = {(char*)"echo", (char*)"one", nullptr};
static char* const envp[] = {(char*)"A=1", nullptr};

static void other_loader() {
  snprintf(path, sizeof path, "%s/children/echo_other_loader", folder);
  execve(path, argv, envp);
}
static void script_of_it() {
  const int script = open("script", O_CREAT | O_WRONLY, 0700);
  must(dprintf(script, "#! %s/children/echo_other_loader x\n", folder) > 0);
  close(script);
  execve("./script", argv, envp);
}
// In a place where the library that we were loaded from is not.
static void behind_chroot() {
  snprintf(path, sizeof path, "%s/children/echo_dynamic", folder);
  if (unshare(CLONE_NEWNS) != 0) _exit(77);
  mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  must(mkdir("jail", 0700) == 0 && mkdir("jail/usr", 0700) == 0);
  must(mount("/usr", "jail/usr", nullptr, MS_BIND, nullptr) == 0);
  must(symlink("usr/lib", "jail/lib") == 0 && symlink("usr/lib64", "jail/lib64") == 0);
  const int from = open(path, O_RDONLY), to = open("jail/echo", O_CREAT | O_WRONLY, 0700);
  char bytes[4096];
  for (ssize_t n; (n = read(from, bytes, sizeof bytes)) > 0;) must(write(to, bytes, n) == n);
  close(from), close(to);
  must(chroot("jail") == 0 && chdir("/") == 0);
  execve("/echo", argv, envp);
  _exit(91);
}

int main() {
  in_main = true;
  say("called too early: %d", too_early);
  list(_r_debug.r_map);
  char self[PATH_MAX] = "";
  must(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
  snprintf(folder, sizeof folder, "%s", dirname(self));
  in_child("another loader", other_loader);
  in_child("a script of it", script_of_it);
  in_child("behind a chroot", behind_chroot);
  return 0;
}

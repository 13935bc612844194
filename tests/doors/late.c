// Text that comes after the start: a plugin with a syscall of its own, a second libc, the vDSO's
// own calls. And text that is made writable, discarded or unmapped, with threads in other text
// meanwhile.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

typedef long call(void);
static volatile int stop;

static void* idle(void* nothing) {
  while (!stop) usleep(200);
  return nothing;
}

// The text of an object, page by page as the file has it?
static int is_as_in_the_file(const char* path, const char* base, size_t from, size_t bytes) {
  char* copy = malloc(bytes);
  int fd = open(path, O_RDONLY);
  int same =
      pread(fd, copy, bytes, (off_t)from) == (ssize_t)bytes && !memcmp(copy, base + from, bytes);
  close(fd);
  free(copy);
  return same;
}

int main(int argc, char** argv) {
  char self[PATH_MAX] = "", path[PATH_MAX + 64];
  if (argc > 1) {
    snprintf(path, sizeof path, "%s", argv[1]);
  } else {
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0) return 2;
    snprintf(path, sizeof path, "%s/../guest/children/plugin_0.so", dirname(self));
  }
  pthread_t thread;
  pthread_create(&thread, NULL, idle, NULL);
  long right = 0;
  void* plugin = dlopen(path, RTLD_NOW);
  if (!plugin) return puts(dlerror()), 2;
  call* pid = (call*)dlsym(plugin, "plugin_pid");
  for (int i = 0; i < 100; i++) right += pid() == getpid();
  printf("plugin %ld\n", right);
  void* libc = dlmopen(LM_ID_NEWLM, "libc.so.6", RTLD_NOW);
  call* parent = libc ? (call*)dlsym(libc, "getppid") : NULL;
  for (int i = right = 0; parent && i < 100; i++) right += parent() == getppid();
  printf("second libc %ld\n", right);
  struct timespec spent;
  for (int i = right = 0; i < 100; i++)
    right += clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent) == 0;
  printf("clock %ld\n", right);
  struct link_map* map;
  dlinfo(plugin, RTLD_DI_LINKMAP, &map);
  const char* base = (const char*)map->l_addr;
  char* page = (char*)((uintptr_t)pid & ~4095ul);
  const size_t offset = (size_t)(page - base);
  madvise(page, 4096, MADV_DONTNEED);
  for (int i = right = 0; i < 100; i++) right += pid() == getpid();
  printf("discarded %ld\n", right);
  mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
  printf("writable, as in the file: %d\n", is_as_in_the_file(path, base, offset, 4096));
  mprotect(page, 4096, PROT_READ | PROT_EXEC);
  for (int i = right = 0; i < 100; i++) right += pid() == getpid();
  printf("closed again %ld\n", right);
  dlclose(plugin);
  plugin = dlopen(path, RTLD_NOW);
  pid = (call*)dlsym(plugin, "plugin_pid");
  for (int i = right = 0; i < 100; i++) right += pid() == getpid();
  printf("once more %ld\n", right);
  stop = 1;
  pthread_join(thread, NULL);
  return 0;
}

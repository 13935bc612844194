// Hazard 15: libraries with syscall instructions of their own come and go at the same addresses
// while another thread calls into one that stays.
#include <dlfcn.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include "guest.h"

static char folder[PATH_MAX];
static volatile int stop;
static volatile long wrong;

static void* open_plugin(int number) {
  char path[PATH_MAX + 32];
  snprintf(path, sizeof path, "%s/children/plugin_%d.so", folder, number);
  void* plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  must(plugin);
  return plugin;
}

static void* caller(void* function) {
  pid_t pid = getpid();
  while (!stop)
    if (((long (*)(void))function)() != pid) wrong++;
  return NULL;
}

int main(void) {
  char self[PATH_MAX] = "";
  must(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
  strcpy(folder, dirname(self));
  void* staying = open_plugin(3);
  pthread_t thread;
  must(pthread_create(&thread, NULL, caller, dlsym(staying, "plugin_pid")) == 0);
  long right = 0;
  for (int round = 0; round < 150; round++) {
    void* plugin = open_plugin(round % 3);
    right += ((long (*)(void))dlsym(plugin, "plugin_number"))() == round % 3;
    right += ((long (*)(void))dlsym(plugin, "plugin_pid"))() == getpid();
    const unsigned char* data = dlsym(plugin, "not_code");
    right += data[5] == 0x0f && data[6] == 0x05 && data[0] == 0xb8;
    must(dlclose(plugin) == 0);
  }
  stop = 1;
  pthread_join(thread, NULL);
  say("right %ld, wrong %ld", right, wrong);
  return 0;
}

// Hazard 31: many threads alive at once (GUEST_THREADS, 300) and many short ones after each other.
#include <pthread.h>
#include "guest.h"

static pthread_barrier_t barrier;
static volatile long calls;

static void* living(void* unused) {
  (void)unused;
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < 10; i++)
    if (raw(SYS_gettid) == gettid()) __sync_fetch_and_add(&calls, 1);
  pthread_barrier_wait(&barrier);
  return NULL;
}
static void* brief(void* unused) {
  (void)unused;
  if (raw(SYS_getppid) == getppid()) __sync_fetch_and_add(&calls, 1);
  return NULL;
}

int main(void) {
  int count = getenv("GUEST_THREADS") ? atoi(getenv("GUEST_THREADS")) : 300;
  pthread_t* threads = calloc(count, sizeof *threads);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 64 * 1024);
  pthread_barrier_init(&barrier, NULL, count + 1);
  int made = 0, joined = 0;
  for (int i = 0; i < count; i++)
    made += pthread_create(&threads[i], &attributes, living, NULL) == 0;
  must(made == count);
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < count; i++) joined += pthread_join(threads[i], NULL) == 0;
  say("alive together: all made %d, all joined %d, calls %ld each", made == count, joined == count,
      calls / count);
  calls = joined = 0;
  for (int i = 0; i < 10 * count; i += 4) {
    for (int j = 0; j < 4; j++) must(pthread_create(&threads[j], &attributes, brief, NULL) == 0);
    for (int j = 0; j < 4; j++) joined += pthread_join(threads[j], NULL) == 0;
  }
  say("short: joined all %d, calls all %d", joined == 10 * count, calls == 10 * count);
  return 0;
}

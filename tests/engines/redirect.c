/* SCTRACE_ENGINE=redirect.so=FROM,TO: paths below FROM are looked for below TO, in every call that
 * opens, examines or removes by path. */
#include <sctrace/engine.h>
#include <string.h>
#include <sys/syscall.h>

static const struct sctrace_services* service;
static char from[512], to[512];

static int open_engine(const char* args, const struct sctrace_services* services, void** data) {
  const char* comma = strchr(args, ',');
  (void)data;
  if (!comma || comma == args || !comma[1]) return -22;
  if (comma - args >= (long)sizeof from || strlen(comma + 1) >= sizeof to) return -36;
  memcpy(from, args, (size_t)(comma - args));
  strcpy(to, comma + 1);
  service = services;
  return services->want(
      "open,openat,openat2,stat,lstat,newfstatat,statx,access,faccessat,faccessat2,"
      "readlink,readlinkat,unlink,unlinkat");
}

/* Which argument is the path. */
static int place_of(long number) {
  switch (number) {
    case SYS_open:
    case SYS_stat:
    case SYS_lstat:
    case SYS_access:
    case SYS_readlink:
    case SYS_unlink: return 0;
    default: return 1;
  }
}

static enum sctrace_choice entry(void* data, struct sctrace_call* call,
                                 enum sctrace_choice choice) {
  char path[1024];
  const int place = place_of(call->number);
  const size_t begin = strlen(from), there = strlen(to);
  const long length = service->read_string(path, call->args[place], sizeof path);
  (void)data;
  if (length < (long)begin || strncmp(path, from, begin) != 0) return choice;
  if (path[begin] && path[begin] != '/') return choice;
  const size_t rest = (size_t)length - begin + 1;
  char* instead = service->keep(call, there + rest);
  if (!instead) return choice;
  memcpy(instead, to, there);
  memcpy(instead + there, path + begin, rest);
  call->args[place] = (uint64_t)instead;
  return choice;
}

const struct sctrace_engine sctrace_engine = {
    .abi = SCTRACE_ENGINE_ABI,
    .size = sizeof(struct sctrace_engine),
    .name = "redirect",
    .open = open_engine,
    .entry = entry,
};

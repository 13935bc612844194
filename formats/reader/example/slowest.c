/* slowest TRACE: of each system call how often it was made, how often it failed, and how long all
 * of them took; the slowest one last, as `sctrace print` shows it.
 *   cc slowest.c $(pkg-config --cflags --libs sctrace-reader) */
#include <sctrace/reader.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
  char name[32];
  unsigned long long calls, errors, ns;
};

static struct row rows[1024];
static size_t row_count;

static struct row* row_of(const char* name) {
  for (size_t n = 0; n < row_count; ++n)
    if (strcmp(rows[n].name, name) == 0) return &rows[n];
  if (row_count == sizeof rows / sizeof rows[0]) abort();
  struct row* made = &rows[row_count++];
  snprintf(made->name, sizeof made->name, "%s", name);
  return made;
}

int main(int argc, char** argv) {
  char error[256];
  if (argc != 2) return fprintf(stderr, "usage: slowest TRACE\n"), 2;
  struct sctrace_reader* reader = sctrace_reader_open(argv[1], 0, error, sizeof error);
  if (!reader) return fprintf(stderr, "slowest: %s\n", error), 1;
  unsigned long long most = 0;
  char* slowest = NULL;
  const struct sctrace_reader_event* event;
  while ((event = sctrace_reader_next(reader))) {
    if (event->kind != SCTRACE_READER_CALL || !(event->flags & SCTRACE_READER_ENDED)) continue;
    struct row* row = row_of(event->name);
    ++row->calls;
    row->errors += event->error != NULL;
    row->ns += event->duration;
    if (event->duration <= most) continue;
    most = event->duration;
    free(slowest);
    slowest = strdup(sctrace_reader_text(reader));
  }
  for (size_t n = 0; n < row_count; ++n)
    printf("%s %llu %llu %llu\n", rows[n].name, rows[n].calls, rows[n].errors, rows[n].ns);
  if (slowest) printf("slowest, %llu ns: %s\n", most, slowest);
  if (sctrace_reader_missing(reader)->calls) fprintf(stderr, "slowest: not all calls are here\n");
  const int failed = sctrace_reader_error(reader) != NULL;
  if (failed) fprintf(stderr, "slowest: %s\n", sctrace_reader_error(reader));
  free(slowest);
  sctrace_reader_close(reader);
  return failed;
}

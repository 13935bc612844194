// say(): one line of what print must show. The call and its result come first, so that the result
// can be said.
#pragma once
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// The call, padded to the column of the result, and the result or what went wrong.
__attribute__((format(printf, 2, 3))) static void said(long result, const char* format, ...) {
  const int error = errno;
  char line[4096];
  __builtin_va_list list;
  __builtin_va_start(list, format);
  vsnprintf(line, sizeof line, format, list);
  __builtin_va_end(list);
  if (result == -1)
    printf("%-39s = -1 %s (%s)\n", line, strerrorname_np(error), strerror(error));
  else
    printf("%-39s = %ld\n", line, result);
}

// The call is made before anything that the line wants to know of its outcome.
static long outcome;
#define say(call, ...) (outcome = (call), said(outcome, __VA_ARGS__))

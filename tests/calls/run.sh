#!/bin/sh
# run.sh BUILD DOOR PROGRAM OPTIONS…: what the program says about its calls is what the trace says about them.
set -eu
build=$1 door=$2 program=$3
shift 3
[ -e "$build/libsctrace.so" ] || { echo "libsctrace.so is not built: skipped"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/in" && cd "$work/in"
exec 3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&-  # the programs count on descriptor 3 being theirs
status=0
LD_PRELOAD=$build/libsctrace.so SCTRACE_DOORS=$door SCTRACE_OUTPUT=$work/trace SCTRACE_STRSIZE=all \
  "$program" > "$work/expected" || status=$?
[ $status -ne 77 ] || exit 77
[ $status -eq 0 ] || { echo "the program ended with $status"; cat "$work/expected"; exit 1; }
"$build/sctrace" print "$@" "$work/trace" > "$work/shown"
grep -v -e '^+++ exited with' -e '^write(1, ' "$work/shown" > "$work/lines" || true
diff -u "$work/expected" "$work/lines"

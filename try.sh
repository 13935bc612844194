#!/bin/sh
# try.sh [COMMAND ARG...]: builds sctrace, records COMMAND and shows what it asked of the kernel.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
echo "try.sh: installs what is missing, builds sctrace, records a command, shows its trace" >&2
(
  cd "$here"
  . tests/support/install.sh
  install_missing build
  log=$(mktemp)
  if ! configure_and_build release all Release g++ gcc -DBUILD_TESTING=OFF >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    exit 1
  fi
  rm -f "$log"
)
[ $# -gt 0 ] || set -- sh -c 'ls -l / | head -n 3; cat /etc/hostname; sh -c "exit 3" || echo "a child said $?"'

trace=$(mktemp -d "${TMPDIR:-/tmp}/sctrace-try-XXXXXX")
sctrace=$here/build/release/sctrace
status=0
"$sctrace" record -o "$trace" -- "$@" || status=$?
echo >&2
"$sctrace" summary "$trace" 2>/dev/null || "$sctrace" info "$trace" || true
echo
"$sctrace" print -f "$trace" 2>/dev/null | head -n 20 || true
echo "the trace is in $trace: $sctrace print $trace" >&2
exit "$status"

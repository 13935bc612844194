#!/bin/sh
# Rewrites arch/x86_64/arities.def from the running kernel's tracefs. Needs to be root;
# says so and changes nothing otherwise.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
events=/sys/kernel/tracing/events/syscalls
[ -d "$events" ] || mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null || true
[ -d "$events" ] || { echo "refresh_arities: tracefs cannot be read (root?)" >&2; exit 77; }
to=$top/arch/x86_64/arities.def
{
  echo "// How many arguments the kernel itself says a call has (tracefs);"
  echo "// refreshed by tests/rules/refresh_arities.sh. ARITY(name, count)."
  echo "// clang-format off"
  for format in "$events"/sys_enter_*/format; do
    name=${format%/format}; name=${name##*/sys_enter_}
    case $name in  # what the kernel calls otherwise inside
      newstat) name=stat ;; newfstat) name=fstat ;; newlstat) name=lstat ;; newuname) name=uname ;;
      sendfile64) name=sendfile ;; umount) name=umount2 ;; sysctl) name=_sysctl ;;
    esac
    grep -q "NUMBER([0-9]*, $name)" "$top/arch/x86_64/numbers.def" || continue
    echo "ARITY($name, $(grep 'field:' "$format" | grep -v -c -e common_ -e __syscall_nr))"
  done
} > "$to.new"
mv "$to.new" "$to"

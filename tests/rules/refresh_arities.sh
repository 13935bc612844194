#!/bin/sh
# Rewrites arch/x86_64/arities.def and prototypes.def from the running kernel's tracefs. Needs to be root;
# says so and changes nothing otherwise.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
events=/sys/kernel/tracing/events/syscalls
[ -d "$events" ] || mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null || true
[ -d "$events" ] || { echo "refresh_arities: tracefs cannot be read (root?)" >&2; exit 77; }
kernel_name() {  # what the kernel calls otherwise inside
  case $1 in
    newstat) echo stat ;; newfstat) echo fstat ;; newlstat) echo lstat ;; newuname) echo uname ;;
    sendfile64) echo sendfile ;; umount) echo umount2 ;; sysctl) echo _sysctl ;; *) echo "$1" ;;
  esac
}
to=$top/arch/x86_64/arities.def
{
  echo "// How many arguments the kernel itself says a call has (tracefs);"
  echo "// refreshed by tests/rules/refresh_arities.sh. ARITY(name, count)."
  echo "// clang-format off"
  for format in "$events"/sys_enter_*/format; do
    name=${format%/format}; name=$(kernel_name "${name##*/sys_enter_}")
    grep -q "NUMBER([0-9]*, $name)" "$top/arch/x86_64/numbers.def" || continue
    echo "ARITY($name, $(grep 'field:' "$format" | grep -v -c -e common_ -e __syscall_nr))"
  done
} > "$to.new"
mv "$to.new" "$to"
to=$top/arch/x86_64/prototypes.def
{
  echo "// What the kernel's own tracefs calls each system call and its arguments, with their C types;"
  echo "// refreshed by tests/rules/refresh_arities.sh. PROTOTYPE(name, name inside the kernel, arguments)."
  echo "// clang-format off"
  for format in "$events"/sys_enter_*/format; do
    inside=${format%/format}; inside=${inside##*/sys_enter_}
    name=$(kernel_name "$inside")
    grep -q "NUMBER([0-9]*, $name)" "$top/arch/x86_64/numbers.def" || continue
    arguments=$(sed -n 's/^\tfield:\(.*\);\toffset.*/\1/p' "$format" | grep -v -e common_ -e __syscall_nr |
      sed ':join; N; s/\n/, /; t join' || true)
    echo "PROTOTYPE($name, $inside, \"$arguments\")"
  done | LC_ALL=C sort
} > "$to.new"
mv "$to.new" "$to"

#!/bin/sh
# Installs what is missing, builds with both compilers and runs every test; ends with ctest's word.
set -eu
cd "$(dirname "$0")"
echo "check.sh: installs what is missing, builds with g++ and clang, runs all tests (bench apart)"
. tests/support/install.sh
install_missing build test

# Short runs first, the whole of the tests last: what ctest says at the end is about all of them.
configure_and_build asan unit_tests RelWithDebInfo g++ gcc -DSCTRACE_SANITIZE=ON -DSCTRACE_UNIT_ONLY=ON
(cd build/asan && ctest --output-on-failure -L unit)
configure_and_build clang all RelWithDebInfo clang++-14 clang-14 -DSCTRACE_UNIT_ONLY=ON
(cd build/clang && ctest --output-on-failure -L 'unit|fuzz')
if has_presets; then
  exec cmake --workflow --preset check
fi
configure_and_build dev all RelWithDebInfo g++ gcc
cd build/dev
exec ctest --output-on-failure -LE bench

# gcc alone, then a small project with cmake and ninja, then make -j2.
# needs: gcc cmake ninja make
# sees: execve vfork,clone,clone3 unlink
# varies: build/.ninja_log build/.ninja_deps build/CMakeFiles/* build/CMakeCache.txt build/Testing/*
# seconds: 120
mkdir src
cat >src/one.c <<'END'
#include <stdio.h>
int two(int);
int main(void) { printf("two(20) = %d\n", two(20)); return two(1) - 3; }
END
echo 'int two(int n) { return 2 * n + 2; }' >src/two.c
gcc -O2 -pipe -o direct src/one.c src/two.c && ./direct
echo "direct $?"
gcc -O1 -S -o - src/two.c | grep -c two
echo 'int main(void) { return undeclared; }' >src/bad.c
gcc -c src/bad.c -o bad.o
echo "bad $?"
cat >src/CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.16)
project(small C)
add_library(two STATIC two.c)
add_executable(one one.c)
target_link_libraries(one two)
END
cmake -S src -B build -G Ninja -DCMAKE_BUILD_TYPE=Release >configured
grep -c 'C compiler' configured
rm configured
ninja -C build -j1 | grep -v '^ninja: Entering'
build/one
echo "built $?"
ninja -C build | tail -n 1
mkdir made
for i in 1 2 3 4 5 6 7 8; do echo "int f$i(void) { return $i; }" >made/f$i.c; done
cat >made/Makefile <<'END'
OBJECTS = $(patsubst %.c,%.o,$(wildcard *.c))
all.a: $(OBJECTS)
	@ar rcsD $@ $(sort $^)
%.o: %.c
	@$(CC) -O1 -c -o $@ $<
check: all.a
	@ar t all.a
	@false
END
make -s -C made -j2
echo "make $?"
make -s -C made check
echo "make check $?"

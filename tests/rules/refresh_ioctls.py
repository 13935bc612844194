#!/usr/bin/env python3
"""Rewrites arch/ioctls.def: what strace calls each ioctl request.

Numbers that may be requests come from the kernel headers that are installed (every macro that is made by
_IO*() or is a plain hexadecimal number), and from whole ranges where a header does not say the size; strace,
watching a program that makes each of them, says which have names. Needs gcc and strace."""
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
ROOTS = ["/usr/include/" + d for d in ("linux", "mtd", "rdma", "scsi", "sound", "misc", "video", "asm-generic", "xen",
                                       "x86_64-linux-gnu/asm")]
FIRST = "".join(f"#include <{h}>\n" for h in ("stdint.h", "stddef.h", "sys/types.h", "sys/socket.h", "time.h",
                                              "linux/types.h", "linux/ioctl.h", "stdio.h"))
MADE = re.compile(r"_IO(?:R|W|WR|C)?\(|\b\w*(?:BASE|MAGIC|IOC)\w*|^\(?\s*0x[0-9a-fA-F]{3,8}\b")
# What no installed header has: drm, kfd; and the usual sizes of everything.
ALL = [chr(n) for n in range(256)]
RANGES = [("d", range(4), range(0, 161, 4), range(0xd8)), ("K", range(1, 4), range(4, 132, 4), range(0x30)),
          (ALL, range(1, 4), (2, 4, 8, 12, 16, 20, 24, 32, 40, 48, 64, 128, 256), range(256))]
HEAD = """\
// What strace calls each ioctl request: IOCTL(number, name), by number; where a number has several names, in
// the order in which they are shown. Names whose number carries a length (EVIOCGNAME(n), …) are in
// formats/read/ioctl_names.cc. Refreshed by tests/rules/refresh_ioctls.py.
// clang-format off
"""
PROBE = """#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) { unsigned n; while (scanf("%x", &n) == 1) syscall(SYS_ioctl, -1, (unsigned long)n, 0L); }
"""


def headers():
    for root in ROOTS:
        for folder, _, names in os.walk(root):
            for name in sorted(names):
                if name.endswith(".h"):
                    path = os.path.join(folder, name)
                    yield re.sub(r"^/usr/include/(x86_64-linux-gnu/)?", "", path), open(path, errors="replace").read()


def built(work, text):
    """The program's output, or the lines of its source that do not compile."""
    source, program = os.path.join(work, "x.c"), os.path.join(work, "x")
    open(source, "w").write(text)
    gcc = subprocess.run(["gcc", "-w", "-fmax-errors=0", "-o", program, source], capture_output=True, text=True)
    if gcc.returncode:
        return None, {int(n) for n in re.findall(r"x\.c:(\d+):\d+: error", gcc.stderr)}
    return subprocess.run([program], capture_output=True, text=True).stdout, set()


def values(work, header, expressions):
    head = FIRST + f"#include <{header}>\nint main(void) {{\n"
    start = head.count("\n") + 1
    while expressions:
        body = "".join(f'{{ static const unsigned long long v = {e}; printf("%llx\\n", v); }}\n' for e in expressions)
        output, bad = built(work, head + body + "}\n")
        if output is not None:
            return {int(line, 16) for line in output.split() if int(line, 16) <= 0xffffffff}
        bad = {n - start for n in bad if n >= start}
        if not bad:
            return set()
        expressions = [e for i, e in enumerate(expressions) if i not in bad]
    return set()


def any_size(numbers):
    """The same requests with any size: where the header does not have the struct."""
    for n in numbers:
        yield from (n & 0xc000ffff | size << 16 for size in range(2048))


def candidates(work):
    found = set(range(0x10000))
    for types, ways, sizes, numbers in RANGES:
        found.update(w << 30 | s << 16 | ord(t) << 8 | n
                     for t in types for w in ways for s in sizes for n in numbers)
    for header, text in headers():
        text = re.sub(r"/\*.*?\*/", " ", text.replace("\\\n", " "), flags=re.S)
        macros = re.findall(r"^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+(.+)$", text, re.M)
        macros = [(name, body) for name, body in macros if MADE.search(body.strip())]
        found |= values(work, header, [name for name, _ in macros])
        made = [body for _, body in macros if re.match(r"_IO(R|W|WR)\(", body)]
        unsized = [body for body in made if not values(work, header, [body])]
        found.update(any_size(values(work, header, [re.sub(r",[^,]*\)\s*$", ", char)", b) for b in unsized])))
        for type_, number in re.findall(r"_IOC\(\s*_IOC_NONE,\s*'(.)',\s*(\d+),\s*sizeof", text):
            found.update(any_size([ord(type_) << 8 | int(number)]))
    return sorted(found)


def names(work, numbers):
    program, trace = os.path.join(work, "probe"), os.path.join(work, "trace")
    open(program + ".c", "w").write(PROBE)
    subprocess.run(["gcc", "-o", program, program + ".c"], check=True)
    subprocess.run(["strace", "-e", "trace=ioctl", "-o", trace, program], check=True, text=True,
                   input="\n".join(f"{n:x}" for n in numbers))
    lines = [line for line in open(trace) if line.startswith("ioctl(-1, ")]
    assert len(lines) == len(numbers), "strace lost some calls"
    for number, line in zip(numbers, lines):
        text = re.match(r"ioctl\(-1, (\w+(\([^)]*\))?( or \w+(\([^)]*\))?)*)", line).group(1)
        for name in text.split(" or "):
            if "(" not in name:
                yield number, name


def main():
    with tempfile.TemporaryDirectory() as work:
        rows = list(names(work, candidates(work)))
    path = os.path.join(TOP, "arch", "ioctls.def")
    with open(path, "w") as out:
        out.write(HEAD)
        out.writelines(f"IOCTL(0x{number:08x}, {name})\n" for number, name in rows)
    print(f"{len(rows)} names")


if __name__ == "__main__":
    sys.exit(main())

"""manners.py ROOT LIBRARY: what libsctrace.so is made of, as its host would see it."""
import os
import re
import subprocess
import sys

MAY_NEED = re.compile(r"libc\.so\.6")  # a musl's loader takes that name for its own, and no other
NEVER_CALLED = {"atexit", "__cxa_atexit", "__cxa_finalize", "__cxa_thread_atexit_impl", "__tls_get_addr",
                "abort", "exit", "_exit", "__cxa_throw", "_Unwind_Resume", "malloc", "free",
                "__stack_chk_fail", "__assert_fail", "dlsym"}
# The start files of every shared object ask for this one weakly; it does nothing in a library that
# registered nothing.
WEAK_IS_FINE = {"__cxa_finalize"}


def read(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def faults(root, library):
    dynamic = read("readelf", "-dW", library)
    for needed in re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic):
        if not MAY_NEED.fullmatch(needed):
            yield f"needs {needed}"
    if re.search(r"TEXTREL", dynamic):
        yield "has relocations in its text"
    if not re.search(r"BIND_NOW|\(FLAGS_1\).*NOW", dynamic):
        yield "is bound lazily: the first call of a function would run the loader (link with -z now)"
    if re.search(r"\(RUNPATH\)|\(RPATH\)", dynamic):
        yield "carries a path of the machine that built it"
    for line in read("readelf", "-lW", library).splitlines():
        words = line.split()
        if words and words[0] == "GNU_STACK" and "E" in words[-2]:
            yield "asks for an executable stack"
        if words and words[0] == "LOAD" and "W" in "".join(words[6:-1]) and "E" in "".join(words[6:-1]):
            yield "has a segment that is writable and executable"
    # The compiler's own start files bring one entry of .fini_array (__do_global_dtors_aux).
    size = re.search(r"\(FINI_ARRAYSZ\)\s+(\d+)", dynamic)
    if size and int(size[1]) > 8:
        yield f"has destructors of its own ({int(size[1]) // 8} entries of .fini_array)"
    allowed = [line.strip() for line in open(os.path.join(root, "tests/rules/exports.txt"))
               if line.strip() and line[0] != "#"]
    for line in read("nm", "-D", "-P", library).splitlines():
        name, kind = line.split()[:2]
        name = name.split("@")[0]
        if kind in "Uwv":
            if name in NEVER_CALLED and not (kind == "w" and name in WEAK_IS_FINE):
                yield f"uses {name}"
            if name.startswith(("_ZSt", "_ZNSt", "_Znw", "_Zdl", "__cxa_throw")):
                yield f"uses {name} of libstdc++"
        elif not any(re.fullmatch(a, name) for a in allowed):
            yield f"shows {name} to the program (tests/rules/exports.txt)"
    relocations = read("readelf", "-rW", library)
    # Each page that holds one is a page of every process' own, and a fault at its start.
    if (pages := len({int(at, 16) >> 12 for at in re.findall(r"^([0-9a-f]+) .*RELATIVE", relocations, re.M)})) > 4:
        yield f"relocates {pages} pages at its start, 4 at most: a table with pointers?"
    for line in relocations.splitlines():
        if re.search(r"R_X86_64_(DTPMOD64|DTPOFF64|TLSDESC)", line):
            yield f"thread-local storage that may be allocated late: {line.strip()}"


found = list(faults(*sys.argv[1:3]))
print("\n".join(found) or "well-mannered")
sys.exit(1 if found else 0)

"""layering.py ROOT: reads every #include against the picture in the README: who knows whom, and through
which one door a third party comes in."""
import os
import re
import sys

KNOWS = {  # room: what its files may include; a room always knows itself
    "arch": set(),
    "formats/wire": set(),
    "rewriter": {"arch"},
    "preload": {"arch", "rewriter", "formats/wire"},
    "formats": {"arch", "formats/wire"},
    "formats/cli": {"arch", "formats", "formats/wire", "rewriter"},  # doctor looks at code as rewriter does
    "tests": {"arch", "rewriter", "preload", "formats", "formats/wire", "formats/cli"},
}
DOORS = {  # a header of somebody else's: the only files that may name it
    r"Zydis": [r"rewriter/whole\.cc", r"tests/way/.*"],
    r"libunwind": [r"preload/stack\.(h|cc)"],
    r"mimalloc": [r"preload/heap\.(h|cc)", r"formats/cli/.*"],
    r"CLI/": [r"formats/cli/.*"],
    r"catch2/": [r"tests/.*"],
    r"fmt/": [r"formats/.*", r"tests/.*"],
    r"zstd": [r"formats/.*", r"tests/.*", r"arch/describe\.cc"],
    r"zlib\.h$": [r"formats/pprof\.cc"],
    r"(elfutils/|dwarf\.h$)": [r"formats/read/inlined\.cc"],
    r"sqlite3\.h$": [r"formats/sqlite\.cc"],
    r"seccomp\.h$": [r"tests/.*"],
}
# Guests of the C library's sort: the library may not need a C++ run-time.
NO_RUNTIME = re.compile(r"^(string|vector|map|memory|functional|iostream|fstream|sstream|mutex|thread|"
                        r"unordered_map|stdexcept|filesystem|format|future|condition_variable)$")


def room_of(path):
    for room in ("formats/wire", "formats/cli"):
        if path.startswith(room + "/"):
            return room
    return path.split("/")[0]


def faults(root):
    for top in ("arch", "rewriter", "preload", "formats", "tests"):
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in names:
                if not re.search(r"\.(h|cc|c|S|def)$", name):
                    continue
                path = os.path.relpath(os.path.join(folder, name), root)
                room = room_of(path)
                for number, line in enumerate(open(os.path.join(folder, name), errors="replace"), 1):
                    match = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
                    if not match:
                        continue
                    kind, what = match.groups()
                    where = f"{path}:{number}"
                    if kind == '"' and os.path.exists(os.path.join(root, what)):
                        other = room_of(what)
                        if other != room and other not in KNOWS[room]:
                            yield f"{where}: {room} may not know {other} ({what})"
                    for door, allowed in DOORS.items():
                        if re.match(door, what) and not any(re.fullmatch(a, path) for a in allowed):
                            yield f"{where}: {what} comes in by {' or '.join(allowed)} only"
                    if room == "preload" and kind == "<" and NO_RUNTIME.match(what):
                        yield f"{where}: <{what}> needs libstdc++ at run time"


found = list(faults(sys.argv[1]))
print("\n".join(found) or "every include is as drawn")
sys.exit(1 if found else 0)

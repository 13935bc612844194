"""signals.py BUILD PROGRAM: stacks of signals, of those that kill too: print -k and JSON show where the program
was, as strace -k does."""
import json
import os
import sys

from stacks import DOORS, House

# How it comes; what it is; where it ends the program with a signal; the innermost of our own functions.
WAYS = [("kill", "SIGUSR1", False, "with_kill"), ("spin", "SIGALRM", False, "with_spin"),
        ("store", "SIGSEGV", True, "with_store"), ("leap", "SIGSEGV", True, "with_leap")]


def look(house, faults, program, way, door, how):
    name, signal, kills, innermost = way
    what = f"{name}, {door}, {how}"
    trace = house.path(f"trace-{name}-{door}-{how}")
    done = house.run([program, name], house.environment(door, trace, SCTRACE_STACK=how), house.root)
    if (done.status == 0) == kills:
        faults.append(f"{what}: ended with {done.status}")
    lines = house.sctrace("print", "--json", trace).stdout.splitlines()
    found = [one for one in map(json.loads, lines) if one["type"] == "signal" and one["name"] == signal]
    if len(found) != 1 or "stack" not in found[0]:
        return faults.append(f"{what}: {found}")
    frames = found[0]["stack"]["frames"]
    symbols = [frame.get("symbol") for frame in frames if not frame.get("inlined")]
    first = {"kill": "kill", "leap": None}.get(name, innermost)
    wanted = [innermost, "middle", "outer", "main"]
    if symbols[0] is None or not symbols[0].endswith(first) if first else symbols[0] or int(frames[0]["address"], 16):
        faults.append(f"{what}: came in {frames[0]}")
    if how == "fp":  # the program has no frame pointers
        return
    own = symbols if symbols[0] == innermost else symbols[1:]
    if own[:4] != wanted or found[0]["stack"].get("end") or len(own) < 5:
        faults.append(f"{what}: {symbols}, {found[0]['stack'].get('end')}")
    text = house.sctrace("print", "-k", trace).stdout.decode().splitlines()
    at = next(n for n, line in enumerate(text) if line.startswith(f"--- {signal} "))
    shown = [line for line in text[at + 1:at + 1 + len(symbols)] if line.startswith(" > ")]
    if len(shown) != len(symbols) or not all(name in line for name, line in zip(symbols, shown) if name):
        faults.append(f"{what}: {text[at:at + 8]}")


def main(build, program):
    build, faults = os.path.abspath(build), []
    with House(build) as house:
        for door in DOORS:
            for how in ("unwind", "auto", "fp"):
                for way in WAYS:
                    look(house, faults, program, way, door, how)
    print("\n".join(faults[:20]) or "signals show where they came")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

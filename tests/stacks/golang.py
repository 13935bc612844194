"""golang.py BUILD: callers of calls that a Go program makes, by Go itself and in C that it calls (cgo)."""
import os
import subprocess
import sys

from stacks import DOORS, House, calls, frames, is_report, run, skip
from traced import need_programs

HERE = os.path.dirname(os.path.abspath(__file__))


def built(house):
    program = house.path("cgo")
    environment = {**os.environ, "GOFLAGS": "-mod=mod", "GOCACHE": house.path("cache"), "GO111MODULE": "off"}
    done = subprocess.run(["go", "build", "-o", program, os.path.join(HERE, "cgo.go")], env=environment,
                          capture_output=True, text=True, timeout=250)
    if done.returncode:
        skip("go builds no cgo program here: " + done.stderr[-500:])
    return program


def main(build):
    need_programs(["go", "gcc"])
    faults = []
    with House(os.path.abspath(build)) as house:
        program = built(house)
        for door in DOORS:
            _, trace = run(house, "cgo", [program], door, "auto", SCTRACE_TRACE="write")
            told = [[frame.get("symbol", "?").removesuffix(".abi0") for frame in frames(event)]
                    + [event["stack"].get("end")] for event in calls(house, trace) if is_report(event)]
            in_go = [names for names in told if "main.deep" in names]
            in_c = [names for names in told if "put_in_c" in names]
            for n, names in enumerate(in_go):
                wanted = ["main.deep"] * (n + 1) + ["main.main", "runtime.main", "runtime.goexit", None]
                if names[names.index("main.deep"):] != wanted:
                    faults.append(f"{door}: {names}")
            for names in in_c:
                # Go's own stack is elsewhere: what is below is not known, and that is said.
                if names[1:] != ["put_in_c", "outer_in_c", "runtime.asmcgocall", "unknown"]:
                    faults.append(f"{door}: {names}")
            print(f"{door}: {len(in_go)} stacks of Go, {len(in_c)} of C below it")
            if len(in_go) != 20 or len(in_c) != 20:
                faults.append(f"{door}: {told[:4]}")
    print("\n".join(faults[:10]))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

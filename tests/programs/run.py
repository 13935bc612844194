"""run.py BUILD GROUP.sh [native]: one group of programs natively and through both doors.

The script runs in an empty folder, always of the same name. Its first lines may say:
  # needs: PROGRAM…    without one of these the test is skipped (in CI: fails)
  # sees: CALL…        must be in the trace; of A,B,… one of them
  # drops: REGEX       of stdout and stderr, lines that match are different every time
  # varies: PATH…      files with other content every time; with a * also their number may vary
  # seconds: N         longest that one run may take (60)
Same stdout, stderr, exit status and files, or the test fails. `native` compares two native runs.
"""
import os
import re
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from traced import DOORS, House, differences, need_programs, tree  # noqa: E402


def directives(script):
    said = {}
    for line in open(script):
        match = re.match(r"# (needs|sees|drops|varies|seconds): (.*)", line)
        if match:
            said.setdefault(match[1], []).append(match[2])
    return said


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def filtered(text, patterns):
    lines = text.splitlines(keepends=True)
    return b"".join(l for l in lines if not any(p.search(l) for p in patterns))


def main(build, script, only=None):
    build, script = os.path.abspath(build), os.path.abspath(script)
    said = directives(script)
    words = {key: " ".join(lines).split() for key, lines in said.items()}
    need_programs(words.get("needs", []))
    patterns = [re.compile(p.encode()) for p in said.get("drops", [])]
    seconds = int(said.get("seconds", ["60"])[0])
    port = free_port()
    faults = []
    with House(build) as house:
        def outcome(door=None, trace=None):
            work = house.fresh("work")
            env = house.environment(door, trace, PORT=port, TMPDIR=house.fresh("tmp"))
            done = house.run(["/bin/sh", script], env, work, seconds * (1 if door is None else 3))
            done.files = tree(work, words.get("varies", []))
            done.stdout = filtered(done.stdout, patterns)
            done.stderr = filtered(done.stderr, patterns)
            return done

        native = outcome()
        if native.status != 0:
            faults.append(f"natively: the script ended with {native.status}")
        for door in (["native again"] if only == "native" else DOORS):
            trace = house.path("trace-" + door)
            traced = outcome(door if only is None else None, trace)
            found = differences(native, traced)
            if only is None:
                found += house.trace_faults(trace, words.get("sees", []))
            faults += [f"{door}: {what}" for what in found]
        print(native.stdout.decode(errors="replace")[-600:])
        house.kept = bool(faults) and bool(os.environ.get("KEEP"))
    for fault in faults:
        print("FAULT", fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

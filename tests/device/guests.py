"""guests.py BUILD [GUEST...|all] [also]: the guests of tests/guest under an engine that looks on, and under a
controller that answers `cont` to everything: they must not notice either. `also` adds an engine in ordinary code, and
the other door."""
import glob
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from traced import House, differences, tree  # noqa: E402

# Some hundred thousand stops each: by hand, named or with `all`.
LONG = "01 02 06 11 21 22 23 30 31 38 39 40 55 59 60 64 65 68".split()


class Yes:
    """A hub without a program, and a controller that says yes to all."""

    def __init__(self, house, build):
        self.path = house.path("hub")
        self.hub = subprocess.Popen([house.command, "control", "-l", self.path], env=house.environment())
        self.controller = subprocess.Popen([os.path.join(build, "tests", "device", "yes"), self.path,
                                            "limit 16\nsignals on\ntrace all\n"])

    def end(self):
        self.hub.terminate()
        self.hub.wait(), self.controller.wait()


def known_of_guests():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "guest", "known.txt")
    with open(path) as file:
        return {line.split()[0] for line in file if line.strip() and line[0] != "#"}


def main(build, *words):
    build, also = os.path.abspath(build), "also" in words
    programs = [os.path.join(build, "tests", "guest", word) for word in words if word not in ("also", "all")]
    if not programs:
        found = glob.glob(os.path.join(build, "tests", "guest", "[0-9]*"))
        programs = sorted(path for path in found if os.access(path, os.X_OK) and
                          ("all" in words or os.path.basename(path)[:2] not in LONG))
    engine = os.path.join(build, "tests", "device", "observe")
    skipped, faults = known_of_guests(), 0
    with House(build) as house:
        yes = Yes(house, build)
        modes = {"engine": ("auto", {"SCTRACE_ENGINE": engine + "_bare.so"}),
                 "controller": ("auto", {"SCTRACE_CONTROL": yes.path})}
        if also:
            modes |= {"ordinary engine": ("auto", {"SCTRACE_ENGINE": engine + ".so"}),
                      "trap, engine": ("trap", {"SCTRACE_ENGINE": engine + "_bare.so"}),
                      "trap, controller": ("trap", {"SCTRACE_CONTROL": yes.path})}
        for program in programs:
            name = os.path.basename(program)
            if name in skipped:
                continue

            def outcome(door=None, settings=None):
                work = house.fresh("work")
                env = house.environment(door, house.path("trace"), **(settings or {}))
                if door:
                    env["SCTRACE_MODE"] = "overwrite"
                done = house.run([program], env, work, 180)
                done.files = tree(work)
                return done

            native = outcome()
            for mode, (door, settings) in modes.items():
                began = time.monotonic()
                found = differences(native, outcome(door, settings))
                for what in found:
                    print("FAULT", name, f"{mode}: {what}")
                if time.monotonic() - began > 3:
                    print(f"{name} under {mode}: {time.monotonic() - began:.1f} s")
                faults += bool(found)
        yes.end()
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

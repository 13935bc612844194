"""quiet.py BUILD: `ctl on --sync` in a program whose threads come by no door (quiet.c): of each that runs or sleeps in
the kernel when it returns, the trace has each call from then on, and no call ends otherwise than without it.
"""
import errno
import json
import os
import subprocess
import sys
import time

from guest import Faults, House, comes
from switch import Counting

KINDS = ("reads", "spins", "sleeps", "polls", "waits", "epolls", "raw")


class Quiet(Counting):
    def __init__(self, house, trace):
        program = os.path.join(os.path.dirname(house.library), "tests", "live", "quiet")
        self.house, self.trace = house, house.path(trace)
        environment = house.environment("auto", self.trace, SCTRACE_START="off")
        self.child = subprocess.Popen([program], env=environment, cwd=house.root, stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True, bufsize=1)
        self.pid = str(self.child.pid)
        if self.line() != "ready":
            raise AssertionError("the program did not begin")

    def ask(self, line):
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()
        return list(iter(self.line, "."))

    def counts(self):
        return {name: (int(tid), int(count)) for name, tid, count in map(str.split, self.ask("c"))}


def goes_on(program, faults):
    """Each of them is not only asleep."""
    before = program.counts()
    faults.expect(comes(lambda: all(count > before[name][1] + 3 or name == "epolls"
                                    for name, (_, count) in program.counts().items())),
                  "not all go on", before, program.counts())


def alone(house, faults):
    """One thread, asleep: it sleeps on, no longer than it wanted to."""
    program = os.path.join(os.path.dirname(house.library), "tests", "live", "quiet")
    child = subprocess.Popen([program, "alone"], cwd=house.root, stdout=subprocess.PIPE, text=True,
                             env=house.environment("auto", house.path("alone"), SCTRACE_START="off"))
    faults.expect(child.stdout.readline() == "ready\n", "it begins")
    for error in (0, 0, errno.ETIMEDOUT):
        child.stdout.readline()
        for what in ("on", "off", "on"):
            time.sleep(0.5)  # what begins anew at the first of them ends half a second late
            done = house.sctrace("ctl", str(child.pid), what)
            faults.expect(done.returncode == 0, what, done)
        said = [int(word) for word in child.stdout.readline().split()]
        faults.expect(said[:2] == [-1 if error else 0, error] and 4000 <= said[2] < 4500, "slept", said)
        house.sctrace("ctl", str(child.pid), "off")
    faults.expect(child.wait(60) == 0, "its own status")
    child.stdout.close()


def several(house, faults):
    windows = []
    program = Quiet(house, "quiet")
    for round in range(4):
        if round % 2:  # those that are paced sleep in the kernel for sure
            program.ask("h")
        held = program.counts()
        on = program.ctl("on", "--sync")
        before = program.counts()
        program.ask("g")
        goes_on(program, faults)
        time.sleep(0.03)
        after = program.counts()
        off = program.ctl("off", "--sync")
        last = program.counts()
        faults.expect(on.returncode == 0 and off.returncode == 0, "on, off", on, off)
        goes_on(program, faults)
        windows.append((round % 2, held, before, after, last))
    wrong = program.ask("e")
    faults.expect(not wrong, "calls that ended otherwise", wrong)
    faults.expect(program.end() == 0, "its own status")
    shown = house.sctrace("print", "--as", "json", "-e", "trace=lseek,read", program.trace).stdout
    seen = {}
    for call in map(json.loads, shown.splitlines()):
        if call["type"] == "call":
            number = call["registers"][1 if call["name"] == "lseek" else 2]
            seen.setdefault(call["tid"], []).append(int(number, 16))
    for name in KINDS:
        tid = windows[0][2][name][0]
        found = set(seen.get(tid, []))
        faults.expect(len(found) == len(seen.get(tid, [])), name, "a call twice")
        for paced, held, before, after, last in windows:
            first, until = before[name][1] + 1, after[name][1]
            missed = [n for n in range(first, until) if n not in found]  # the last may be on its way
            faults.expect(not missed, name, "missed", len(missed), "of", until - first + 1, missed[:9])
            if paced and name == "reads":
                faults.expect(held[name] == before[name] and before[name][1] not in found, name,
                              "a call begun before", held[name], before[name])
            while first - 1 in found:
                first -= 1
            found -= set(range(first, last[name][1] + 1))
        faults.expect(not found, name, "not between on and off", sorted(found)[:9])


def out_of_the_way():
    """On one processor, behind all others there."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    os.nice(10)


def jumping(house, faults, before=None):
    """Out of a call that was under way at an `off`, and on again before the next call."""
    program = os.path.join(os.path.dirname(house.library), "tests", "live", "quiet")
    trace = house.path("jumping-late" if before else "jumping")
    child = subprocess.Popen([program, "jumping"], cwd=house.root, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             text=True, bufsize=1, preexec_fn=before,
                             env=house.environment("auto", trace, SCTRACE_START="off"))

    def tell(line):
        child.stdin.write(line + "\n")
        faults.expect(child.stdout.readline() == "done\n", line)

    faults.expect(child.stdout.readline() == "ready\n", "it begins")
    for what in ("on", "b", "off", "j", "on", "l", "off", "l"):
        if len(what) == 1:
            tell(what)
        else:
            done = house.sctrace("ctl", str(child.pid), what, "--sync")
            faults.expect(done.returncode == 0, what, done)
    child.stdin.close()
    faults.expect(child.wait(60) == 0, "its own status")
    child.stdout.close()
    shown = house.sctrace("print", "-f", "-e", "trace=lseek", trace).stdout.decode()
    faults.expect([shown.count(f"lseek(-1, {n},") for n in range(1000, 1005)] == [1] * 5, "calls after a jump", shown)


def jumping_late(house, faults):
    """The same where the thread that jumped gets a processor now and then only."""
    busy = subprocess.Popen(["sh", "-c", "while :; do :; done"],
                            preexec_fn=lambda: os.sched_setaffinity(0, {max(os.sched_getaffinity(0))}))
    try:
        jumping(house, faults, out_of_the_way)
    finally:
        busy.kill()
        busy.wait()


def main(build):
    faults = Faults()
    with House(build) as house:
        several(house, faults)
        alone(house, faults)
        jumping(house, faults)
        jumping_late(house, faults)
    return faults.status()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

"""switch.py BUILD: `sctrace ctl` turns recording on and off in a running program. Threads count their own
calls (counting.c): between two stamps the trace has exactly these. While off, text is the files'.
"""
import json
import os
import re
import subprocess
import sys
import time

from guest import Faults, House, comes

SERIAL = re.compile(r"^(\d+) +lseek\(-1, (\d+), ", re.M)


class Counting:
    def __init__(self, house, trace, threads, pause_us, door="auto", **settings):
        program = os.path.join(os.path.dirname(house.library), "tests", "live", "counting")
        self.house, self.trace = house, house.path(trace)
        self.child = subprocess.Popen([program, str(threads), str(pause_us)],
                                      env=house.environment(door, self.trace, **settings), cwd=house.root,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.pid = str(self.child.pid)
        if self.line() != "ready":
            raise AssertionError("the program did not begin")

    def line(self):
        return self.child.stdout.readline().strip()

    def ask(self, line):
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()
        return self.line()

    def counts(self):
        found, line = {}, self.ask("c")
        while line and line != ".":
            tid, count = line.split()
            found[int(tid)] = int(count)
            line = self.line()
        return found

    def ctl(self, *words, of=None):
        return self.house.sctrace("ctl", of or self.pid, *words)

    def state(self, *words):
        said = self.ctl("status", "--json", *words)
        if said.returncode:
            raise AssertionError(said)
        return json.loads(said.stdout)

    def end(self):
        self.child.stdin.write("q\n")
        self.child.stdin.flush()
        status = self.child.wait(60)
        self.child.stdin.close()
        self.child.stdout.close()
        return status


def serials(house, trace):
    """Of each thread the numbers of its calls, as the trace has them."""
    found = {}
    shown = house.sctrace("print", "-f", "-e", "trace=lseek", trace).stdout.decode()
    for match in SERIAL.finditer(shown):
        found.setdefault(int(match[1]), []).append(int(match[2]))
    return found


def exactly(house, faults, threads, pause_us):
    """`before` was begun when `on --sync` had returned or earlier; what is before `after`, before `off` was asked."""
    name = f"exact-{threads}-{pause_us}"
    program = Counting(house, name, threads, pause_us, SCTRACE_START="off", SCTRACE_TRACE="lseek")
    faults.expect(not serials(house, program.trace), "nothing before the first on")
    windows = []
    for _ in range(3):
        on = program.ctl("on", "--sync")
        before = program.counts()
        time.sleep(0.05)
        after = program.counts()
        off = program.ctl("off", "--sync")
        last = program.counts()
        faults.expect(on.returncode == 0 and off.returncode == 0, name, on, off)
        windows.append((before, after, last))
    faults.expect(program.ask("t") == "0", name, "text is the files'")
    faults.expect((status := program.end()) == 0, name, "its own status", status)
    found = serials(house, program.trace)
    for tid in windows[0][0]:
        all_of_it = found.get(tid, [])
        seen = set(all_of_it)
        faults.expect(len(seen) == len(all_of_it), name, tid, "a call twice")
        outside = set(seen)
        for before, after, last in windows:
            missed = [n for n in range(before[tid] + 1, after[tid]) if n not in seen]
            faults.expect(not missed, name, tid, "missed", missed[:9], before[tid], after[tid])
            first = before[tid]
            while first - 1 in seen:
                first -= 1
            outside -= set(range(first, last[tid] + 1))
        faults.expect(not outside, name, tid, "not between on and off", sorted(outside)[:9], windows)
        begins = sum(1 for n in seen if n - 1 not in seen)
        faults.expect(begins <= len(windows), name, tid, "gaps", begins)


def caught(pid):
    """Of the signals that we need for ourselves, those with a handler."""
    found = re.search(r"SigCgt:\s*([0-9a-f]+)", open(f"/proc/{pid}/status").read())
    return int(found[1], 16) & (1 << 6 | 1 << 10 | 1 << 30)


def begins_off(house, faults):
    program = Counting(house, "off", 2, 1000, SCTRACE_START="off")
    faults.expect(program.ask("t") == "0", "text at start")
    faults.expect(caught(program.pid) == 0, "no handler of ours")
    faults.expect(os.listdir(f"/proc/{program.pid}/task").__len__() == 3, "nobody else in it")
    state = program.state()[0]
    faults.expect(state["state"] == "off" and state["doors"] == "shut" and state["threads"] == 3, state)
    listed = [one for one in json.loads(house.sctrace("ps", "--json").stdout) if str(one["pid"]) == program.pid]
    faults.expect(listed and listed[0]["state"] == "off", listed)
    faults.expect(program.ctl("on").returncode == 0, "on")
    state = program.state()[0]
    faults.expect(state["state"] == "on" and state["sites_open"] > 100, state)
    faults.expect(comes(lambda: program.state()[0]["threads_seen"] >= 2), program.state())
    faults.expect(int(program.ask("t")) > 0, "doors in the text")
    program.ask("m 2")
    faults.expect(comes(lambda: program.state()[0]["threads_unseen"] == 0), "born meanwhile", program.state())
    faults.expect(program.ctl("on").returncode == 0, "on twice")
    faults.expect(program.ctl("off", "--sync").returncode == 0, "off")
    faults.expect(program.ctl("off").returncode == 0, "off twice")
    faults.expect(program.ask("t") == "0", "text afterwards")
    faults.expect(comes(lambda: caught(program.pid) == 0), "no handler left", program.state())
    faults.expect((status := program.end()) == 0, program.trace, "its own status", status)


def many_times(house, faults):
    """Threads that call as fast as they can; one that the command is killed under."""
    program = Counting(house, "many", 6, 0, SCTRACE_START="off", SCTRACE_MODE="overwrite", SCTRACE_BUFFER="64K")
    for n in range(30):
        for what in ("on", "off"):
            if n % 3 == 2:
                other = subprocess.Popen([house.command, "ctl", program.pid, what], stderr=subprocess.DEVNULL)
                time.sleep(0.0007 * (n % 10))
                other.kill()
                other.wait()
            done = program.ctl(what)
            faults.expect(done.returncode == 0, n, what, done)
    faults.expect(program.ask("t") == "0", "text")
    before = program.counts()
    faults.expect(comes(lambda: all(count > before[tid] for tid, count in program.counts().items())), "all go on")
    faults.expect((status := program.end()) == 0, program.trace, "its own status", status)


def crowd(house, faults):
    """Off while many are on their way to us."""
    program = Counting(house, "crowd", 500, 400000, SCTRACE_START="off", SCTRACE_MODE="overwrite",
                       SCTRACE_BUFFER="64K")
    for n in range(6):
        for what in ("on", "off"):
            done = program.ctl(what)
            faults.expect(done.returncode == 0, n, what, done)
    faults.expect(comes(lambda: program.ask("t") == "0"), "text")
    faults.expect(comes(lambda: caught(program.pid) == 0), "no handler left", program.state())
    faults.expect((status := program.end()) == 0, program.trace, "its own status", status)


def goes_on(house, faults):
    """What is executed, and forked children, are as their parent was then."""
    program = Counting(house, "goes-on", 2, 1000, SCTRACE_START="off")
    path = os.path.join(os.path.dirname(house.library), "tests", "live", "counting")
    for what in ("on", "off"):
        faults.expect(program.ctl(what, "--sync").returncode == 0, what)
        faults.expect(program.ask("x " + path) == "ready", "executed while", what)
        faults.expect(program.state()[0]["state"] == what, "after an exec", what, program.state())
    child = program.ask("f")
    faults.expect(program.state()[0]["state"] == "off", "the parent")
    both = program.state("--tree")
    faults.expect({one["pid"] for one in both} == {int(program.pid), int(child)}, both)
    faults.expect(program.ctl("on", "--tree", "--sync").returncode == 0, "on of both")
    time.sleep(0.05)
    faults.expect(comes(lambda: all(one["state"] == "on" and not one["threads_unseen"]
                                    for one in program.state("--tree"))), program.state("--tree"))
    grandchild = program.ask("f")
    faults.expect([one["state"] for one in program.state("--tree")] == ["on"] * 3, "forked while on")
    faults.expect(program.ctl("off", "--tree", "--sync").returncode == 0, "off of all")
    faults.expect([one["state"] for one in program.state("--tree")] == ["off"] * 3, "off")
    faults.expect(program.ask("t") == "0", "text of the grandchild")
    faults.expect((status := program.end()) == 0, program.trace, "its own status", status)
    shown = house.sctrace("summary", program.trace).stdout
    faults.expect(b"lseek" in shown and grandchild, shown)


def turned_off(house, faults):
    """A program that began as ever."""
    program = Counting(house, "began-on", 3, 500)
    faults.expect(program.state()[0]["state"] == "on", program.state())
    faults.expect(program.ctl("off", "--sync").returncode == 0 and program.ask("t") == "0", "off")
    path = os.path.join(os.path.dirname(house.library), "tests", "live", "counting")
    faults.expect(program.ask("x " + path) == "ready", "executed while off")
    faults.expect(program.state()[0]["state"] == "off", "what it executes", program.state())
    faults.expect(program.ctl("on", "--sync").returncode == 0, "on again")
    faults.expect((status := program.end()) == 0, program.trace, "its own status", status)


def refused(house, faults):
    program = Counting(house, "refused", 1, 1000, SCTRACE_START="off")
    if os.geteuid() == 0 and os.path.exists("/usr/bin/setpriv"):
        other = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", house.command,
                                "ctl", program.pid, "on"], capture_output=True)
        faults.expect(other.returncode == 1 and other.stderr.count(b"\n") == 1 and
                      (b"another user" in other.stderr or other.returncode == 126), other)
    else:
        print("not root, or no setpriv: another user was not tried")
    none = house.sctrace("ctl", "1", "on")
    faults.expect(none.returncode == 1 and none.stderr.count(b"\n") == 1, none)
    faults.expect(program.state()[0]["state"] == "off", "as it was")
    faults.expect((status := program.end()) == 0, program.trace, "its own status", status)
    trapped = Counting(house, "trapped", 1, 1000, door="trap", SCTRACE_START="off")
    said = trapped.ctl("on")
    faults.expect(said.returncode == 1 and b"SCTRACE_DOORS=trap" in said.stderr, said)
    faults.expect(trapped.end() == 0, "its own status")


def filtered(house, faults):
    """A thread's filter may forbid what would be done in it: seen while on, or looked for while off."""
    for start, what in (("on", "off"), ("off", "on")):
        program = Counting(house, "filtered-" + start, 2, 1000, SCTRACE_START=start)
        faults.expect(program.ask("s") == "done", "it has a filter")
        said = program.ctl(what)
        faults.expect(said.returncode == 1 and b"seccomp" in said.stderr, start, said)
        faults.expect(program.state()[0]["state"] == start, start, "as it was", program.state())
        faults.expect((status := program.end()) == 0, start, "its own status", status)


def main(build):
    faults = Faults()
    with House(build) as house:
        begins_off(house, faults)
        exactly(house, faults, 4, 200)
        exactly(house, faults, 3, 0)
        many_times(house, faults)
        crowd(house, faults)
        goes_on(house, faults)
        turned_off(house, faults)
        refused(house, faults)
        filtered(house, faults)
    return faults.status()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

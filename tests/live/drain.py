"""drain.py BUILD: who takes what threads have recorded. Whatever becomes of `record`'s reader, the trace is
whole and no call is missing that is not counted; SCTRACE_MODE=discard and block leave it to readers alone.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import time

from guest import PATIENCE, Faults, Guest, House, comes, skip

CALLS = 400_000
PROGRAM = ["dd", "if=/dev/zero", "of=/dev/null", "bs=8", f"count={CALLS // 2}"]


def recorder(house, trace, *options, program=PROGRAM):
    return subprocess.Popen([house.command, "record", "-q", "-o", trace, *options, "--", *program],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []  # it has ended


def drainer_of(recording):
    """The child of `record` that is `record` still."""
    for child in children(recording.pid):
        try:
            mine = os.readlink(f"/proc/{recording.pid}/exe")
            maps = open(f"/proc/{child}/maps").read()
            if os.readlink(f"/proc/{child}/exe") == mine and ".ring" in maps:
                return child
        except OSError:
            pass
    return None


def judge(house, faults, case, trace, may_lose=False):
    checked = house.sctrace("check", trace)
    faults.expect(checked.returncode == 0, case, checked.stdout, checked.stderr)
    info = house.info(trace)
    made = info["calls"]["stub"] + info["calls"]["trap"]
    shown = sum(row["calls"] for row in json.loads(house.sctrace("summary", "--json", trace).stdout)["syscalls"])
    faults.expect(made >= CALLS and shown + info["lost"] in (made, made - 1), case, "made", made, "shown", shown,
                  "lost", info["lost"])
    faults.expect(may_lose or info["lost"] == 0, case, "lost", info["lost"])
    return info["lost"]


def streams(house, faults):
    for drain in ("on", "off", "auto"):
        done = recorder(house, house.path(drain), "--drain", drain)
        done.communicate(timeout=PATIENCE)
        faults.expect(done.returncode == 0, drain, done.returncode)
        judge(house, faults, f"--drain {drain}", house.path(drain))


def harmed(house, faults):
    """A reader that is stopped or killed in the middle, at whatever instruction."""
    for n, how in enumerate([signal.SIGSTOP, signal.SIGKILL] * 2):
        for mode in ("stream", "discard", "block"):
            trace = house.path(f"{mode}-{n}")
            done = recorder(house, trace, "--drain", "on", "--mode", mode)
            found = comes(lambda done=done: done.poll() is not None or drainer_of(done))
            if found is not True:
                time.sleep(0.006 * n)
                os.kill(found, how)
            program = comes(lambda done=done: not [c for c in children(done.pid) if c != found])
            faults.expect(program, mode, how, "the program goes on")
            done.communicate(timeout=PATIENCE)
            faults.expect(done.returncode == 0, mode, how, done.returncode)
            judge(house, faults, f"{mode} {how}", trace, may_lose=mode != "stream")


def killed_between(house, faults):
    """A reader that has written a block and is killed before it can say so: strace holds it there."""
    if not shutil.which("strace"):
        skip("no strace on this machine")
    trace = house.path("between")
    program = os.path.join(os.path.dirname(house.library), "tests", "live", "obedient")
    done = subprocess.Popen([house.command, "record", "-q", "-o", trace, "--drain", "on", "--mode", "block",
                             "--", program],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    found = comes(lambda: drainer_of(done))
    holding = subprocess.Popen(["strace", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64",
                                "-e", "inject=pwrite64:delay_exit=60s:when=2", "-p", str(found)],
                               stdin=subprocess.DEVNULL)
    faults.expect(comes(lambda: "TracerPid:\t0" not in read_of(found, "status")), "strace has come")
    done.stdin.write(f"g {CALLS}\n".encode())
    done.stdin.flush()
    faults.expect(comes(lambda: all(is_held(found) for _ in range(10))), "it is held")
    os.kill(found, signal.SIGKILL)
    holding.kill()  # before it, nobody else can see that the reader has ended
    holding.wait()
    done.communicate(timeout=PATIENCE)
    faults.expect(judge(house, faults, "killed between", trace, may_lose=True), "nothing was lost")


def read_of(pid, name):
    with open(f"/proc/{pid}/{name}") as file:
        return file.read()


def is_held(pid):
    time.sleep(0.02)
    return read_of(pid, "stat").rpartition(")")[2].split()[0] == "t"


def left_to_readers(house, faults):
    alone = recorder(house, house.path("alone"), "--drain", "off", "--mode", "discard")
    alone.communicate(timeout=PATIENCE)
    lost = judge(house, faults, "discard without a reader", house.path("alone"), may_lose=True)
    faults.expect(lost > CALLS / 2, "more is kept than there is room for", lost)
    faults.expect(not [name for name in os.listdir(house.path("alone")) if name.endswith(".data")], "a file is written")
    waits = recorder(house, house.path("waits"), "--drain", "on", "--mode", "block")
    waits.communicate(timeout=PATIENCE)
    judge(house, faults, "block", house.path("waits"))


def followed(house, faults):
    """`print --follow` is a reader, too."""
    guest = Guest(house, "followed", SCTRACE_MODE="block", SCTRACE_TRACE="getppid")
    guest.tell("g 1")
    watching = subprocess.Popen([house.command, "print", "--follow", guest.trace], stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL)
    comes(lambda: watching.stdout.readline())
    guest.say(f"g {CALLS}")
    seen = 1
    other = []
    while seen < CALLS + 1 and len(other) < 3:
        line = watching.stdout.readline()
        if line.startswith(b"getppid"):
            seen += 1
        else:
            other.append(line)
    guest.end()
    watching.communicate(timeout=PATIENCE)
    faults.expect(seen == CALLS + 1, "follow saw", seen, other)
    info = house.info(guest.trace)
    faults.expect(info["lost"] == 0, "follow lost", info["lost"])


def main(build):
    faults = Faults()
    with House(build) as house:
        streams(house, faults)
        left_to_readers(house, faults)
        harmed(house, faults)
        killed_between(house, faults)
        followed(house, faults)
    return faults.status()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

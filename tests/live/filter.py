"""filter.py BUILD: SCTRACE_FILTER, SCTRACE_MIN_DURATION and SCTRACE_SAMPLE keep what they say and count the
rest. The judge is `print --filter` over a trace of everything: both must choose the same calls.
"""
import collections
import os
import re
import signal
import subprocess
import sys

from guest import Faults, Guest, House, comes, run

TOLD = ["g 50", "n 5", "o 4", "s 20", "g 3"]
EXPRESSIONS = [
    "name==getppid", "name!=getppid && errno==0", "errno==ENOENT", "path==/no/such/file",
    "path ~ \"/no/*\" && ret<0", "fd==0 || fd==1", "name==\"openat,close\"",
    "!(errno==ENOENT) && name==openat", "arg2==5 && fd==1",
    "nr==110", "ret>=3 && name==openat",
]
# How long a call takes differs from run to run: here a trace is asked about itself.
TIMED = ["dur>15ms", "dur>15ms || errno==ENOENT", "dur>=15000us && name==clock_nanosleep"]
OURS = re.compile(rb"^(?:getppid|openat|close|read|write|clock_nanosleep)\(")


def calls(text):
    """Of the program's own loop: name and result. What the loader does has addresses in it."""
    lines = [line for line in text.splitlines() if OURS.match(line)]
    return collections.Counter(re.sub(rb"0x[0-9a-f]+", b"ADDRESS", re.sub(rb"\s+", b" ", line)) for line in lines)


def recorded(info):
    return info["calls"]["stub"] + info["calls"]["trap"] - info["filtered"] - info["lost"]


def main(build):
    faults = Faults()
    with House(build) as house:
        run(house, "all", TOLD)
        everything = house.info(house.path("all"))
        for door in ("auto", "trap"):
            for n, text in enumerate(EXPRESSIONS):
                trace = f"one-{door}-{n}"
                run(house, trace, TOLD, SCTRACE_FILTER=text, SCTRACE_DOORS=door)
                expected = calls(house.sctrace("print", "--filter", text, house.path("all")).stdout)
                shown = house.sctrace("print", house.path(trace))
                # Judged here: the end of the trace is shown as it is recorded.
                faults.expect(calls(shown.stdout) == expected, door, text, calls(shown.stdout) - expected,
                              expected - calls(shown.stdout), shown.stderr)
                info = house.info(house.path(trace))
                made = info["calls"]["stub"] + info["calls"]["trap"]
                all_made = everything["calls"]["stub"] + everything["calls"]["trap"]
                faults.expect(abs(made - all_made) <= 4, door, text, "calls made:", made, all_made)
                faults.expect(info["lost"] == 0 and info["filtered"] > 0, door, text, info)
                checked = house.sctrace("check", house.path(trace))
                faults.expect(checked.returncode == 0, door, text, checked.stdout, checked.stderr)
            for n, text in enumerate(TIMED):
                trace = f"timed-{door}-{n}"
                run(house, trace, TOLD, SCTRACE_FILTER=text, SCTRACE_DOORS=door)
                kept = calls(house.sctrace("print", house.path(trace)).stdout)
                asked = calls(house.sctrace("print", "--filter", text, house.path(trace)).stdout)
                faults.expect(kept == asked and any(b"clock_nanosleep" in line for line in kept), door, text,
                              kept - asked, kept)
        ended(house, faults)
        least(house, faults)
        sampled(house, faults)
        hung(house, faults)
        taken_back(house, faults)
    return faults.status()


def ended(house, faults):
    """How a program ended is told whatever was asked for, and is no call that was."""
    for door in ("auto", "trap"):
        for n, setting in enumerate(({"SCTRACE_TRACE": "getppid"}, {"SCTRACE_FILTER": "name==getppid"},
                                     {"SCTRACE_SAMPLE": "1000"}, {"SCTRACE_MIN_DURATION": "9s"})):
            trace = house.path(f"ended-{door}-{n}")
            subprocess.run(["sh", "-c", "(exit 7); env true; exit 3"], env=house.environment(door, trace, **setting))
            shown = house.sctrace("print", "-f", trace).stdout
            faults.expect(re.findall(rb"exited with (\d)", shown) == [b"7", b"0", b"3"], door, setting, shown)
            faults.expect(n in (2, 3) or b"exit_group" not in shown, door, setting, shown)
            checked = house.sctrace("check", trace).stdout
            faults.expect(b"killed" not in checked, door, setting, checked)
            total = house.sctrace("summary", trace).stdout
            faults.expect(n in (2, 3) or b"exit_group" not in total, door, setting, total)


def least(house, faults):
    run(house, "least", TOLD, SCTRACE_MIN_DURATION="15ms")
    shown = house.sctrace("print", "-T", house.path("least")).stdout
    slow = [line for line in shown.splitlines() if b"clock_nanosleep" in line]
    faults.expect(len(slow) == 1 and b"getppid" not in shown, "SCTRACE_MIN_DURATION", shown)


def sampled(house, faults):
    run(house, "sampled", ["g 1000"], SCTRACE_SAMPLE="10", SCTRACE_TRACE="getppid")
    shown = house.sctrace("print", "-e", "getppid", house.path("sampled")).stdout
    faults.expect(shown.count(b"getppid()") == 100, "one in ten of a thousand:", shown.count(b"getppid()"))
    info = house.info(house.path("sampled"))
    faults.expect(recorded(info) == 100, "counted:", info)


def hung(house, faults):
    """What its end would decide is there while it has none."""
    guest = Guest(house, "hung", SCTRACE_FILTER="dur>1000s")
    guest.tell("g 10", "s 1")
    comes(lambda: open(f"/proc/{guest.pid}/stat").read().split()[2] == "S")
    os.kill(guest.pid, signal.SIGKILL)
    guest.child.wait()
    shown = house.sctrace("print", house.path("hung")).stdout
    faults.expect(b"read(0, " in shown and b"<unfinished" in shown, "a hung call shows:", shown)
    faults.expect(b"getppid" not in shown, "and no other:", shown)


def taken_back(house, faults):
    """A flight recorder keeps what it wants over any number of calls that it does not."""
    run(house, "back", ["n 1", "g 200000"], SCTRACE_MODE="overwrite", SCTRACE_BUFFER="64K",
        SCTRACE_FILTER="errno==ENOENT || dur>1000s")
    shown = house.sctrace("print", house.path("back"))
    faults.expect(b"/no/such/file" in shown.stdout, "rolled over by what was not wanted:", shown.stdout[-300:],
                  shown.stderr)


sys.exit(main(sys.argv[1]))

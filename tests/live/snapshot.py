"""snapshot.py BUILD: a flight recorder's newest calls, copied while four threads go on writing: each copy is
a whole trace, of this moment; by hand, by a condition, of which the newest are kept, and when one ends.
"""
import glob
import os
import re
import subprocess
import sys

from guest import Faults, Guest, House, comes


def by_hand(house, faults):
    for mode in ("overwrite", "stream"):
        guest = Guest(house, f"trace-{mode}", SCTRACE_MODE=mode, SCTRACE_BUFFER="256K")
        guest.tell("n 1", "g 1000")
        if mode == "overwrite":  # a stream of all that they do would fill the disk
            guest.tell("l", "s 50")
        for n in range(4):
            guest.say("g 20000")  # not waited for: the copy is made meanwhile
            to = house.path(f"{mode}-{n}")
            done = house.sctrace("ctl", str(guest.pid), "snapshot", "-o", to)
            faults.expect(done.returncode == 0 and b"snapshot in" in done.stderr, mode, done)
            checked = house.sctrace("check", to)
            faults.expect(checked.returncode == 0, mode, n, checked.stdout, checked.stderr)
            shown = house.sctrace("summary", to)
            faults.expect(b"getppid" in shown.stdout, mode, shown)
            faults.expect(b"damaged" not in shown.stderr and b"gap" not in shown.stderr, mode, shown.stderr)
            if mode == "stream":
                lines = house.sctrace("print", "-e", "openat", to).stdout
                faults.expect(b"/no/such/file" in lines, "a stream's first calls", lines[-200:])
            subprocess.run(["rm", "-rf", to], check=True)
        taken = house.path("taken")
        os.makedirs(taken, exist_ok=True)
        refused = house.sctrace("ctl", str(guest.pid), "snapshot", "-o", taken)
        faults.expect(refused.returncode == 1 and b"is there already" in refused.stderr, refused)
        guest.child.kill()
        guest.child.wait()
    faults.expect(not glob.glob(house.path("*.part")), "nothing half made is left")


def by_condition(house, faults):
    trace = house.path("recorded")
    program = os.path.join(os.path.dirname(house.library), "tests", "live", "obedient")
    child = subprocess.Popen([house.command, "record", "-o", trace, "--mode", "overwrite", "--snapshot-on",
                              "errno==ENOENT && path==/no/such/file", "--keep", "2", "--", program],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             env=house.environment(), cwd=house.root)

    def tell(line):
        child.stdin.write(line + b"\n")
        child.stdin.flush()
        child.stdout.readline()

    tell(b"g 10")
    for n in range(1, 5):
        tell(b"n 1")
        faults.expect(comes(lambda: os.path.isdir(f"{trace}-snapshot-{n}")), "snapshot", n)
    child.stdin.close()
    faults.expect(child.wait() == 0, "the program's own status")
    left = sorted(os.path.basename(path) for path in glob.glob(trace + "-snapshot-*"))
    faults.expect(left == ["recorded-snapshot-3", "recorded-snapshot-4"], "the newest two are kept", left)
    shown = house.sctrace("print", f"{trace}-snapshot-3").stdout
    faults.expect(shown.count(b"/no/such/file") >= 3, "all up to then", shown)
    says = child.stderr.read()
    faults.expect(says.count(b"openat of thread") == 4, "each is said", says)
    wrong = house.sctrace("record", "--snapshot-on", "errno=", "--", "true")
    faults.expect(wrong.returncode == 2 and b"column 7" in wrong.stderr, wrong)


ENDS = {  # the script, what is asked for, and what is said: one line a snapshot
    "exits": ("(exit 3); sleep 0.3; (exit 0); sleep 0.3; (exit 200); sleep 0.3; exit 7", ["exit!=0"],
              [r"exit 3 of process \d+", r"exit 200 of process \d+", r"exit 7 of process \d+"]),
    "some exits": ("(exit 3); sleep 0.3; (exit 200); sleep 0.3; exit 0", ["exit >= 100"],
                   [r"exit 200 of process \d+"]),
    "a fault": ("sh -c 'kill -SEGV $$'; sleep 0.3; sh -c 'kill -ABRT $$'; sleep 0.3; exit 1",
                ["signal=SEGV,SIGABRT", "exit==1"],
                [r"SIGSEGV of thread \d+", r"process \d+ killed by SIGABRT", r"exit 1 of process \d+"]),
    "as shells say": ("sh -c 'kill -KILL $$'; sleep 0.3; true", ["exit==137"], [r"process \d+ killed by SIGKILL"]),
    "a handler": ("trap : USR1; kill -USR1 $$; sleep 0.3; kill -USR1 $$; sleep 0.3; true", ["signal=10"],
                  [r"SIGUSR1 of thread \d+"] * 2),
    "the program itself": ("kill -TERM $$", ["signal=TERM"], [r"process \d+ killed by SIGTERM"]),
    "itself, by a fault": ("kill -BUS $$", ["signal=BUS"], [r"SIGBUS of thread \d+"]),
    "another": ("sh -c 'kill -TERM $$'; exit 2", ["signal=USR2", "errno==EMLINK", "exit==1"], []),
}


def by_end(house, faults):
    for case, (script, occasions, expected) in ENDS.items():
        trace = house.path("ends-" + case.replace(" ", "-").replace(",", ""))
        options = [word for one in occasions for word in ("--snapshot-on", one)]
        done = house.sctrace("record", "-o", trace, "--mode", "overwrite", *options, "--", "sh", "-c", script)
        said = [line for line in done.stderr.decode().splitlines() if "-snapshot-" in line]
        right = len(said) == len(expected) and all(
            re.fullmatch(rf"sctrace: {re.escape(trace)}-snapshot-{n}: {what}", line)
            for n, (line, what) in enumerate(zip(said, expected), 1))
        faults.expect(right, case, done)
        for n in range(1, len(said) + 1):
            checked = house.sctrace("check", f"{trace}-snapshot-{n}")
            faults.expect(checked.returncode == 0, case, n, checked)
    for wrong in ("exit!=x", "exit", "exit=256", "signal=NONE", "signal!=SEGV", "signal=", "signal=65", "exits==3"):
        done = house.sctrace("record", "--snapshot-on", wrong, "--", "true")
        faults.expect(done.returncode == 2 and done.stderr.count(b"\n") == 1, wrong, done)


def from_outside(house, faults):
    guest = Guest(house, "outside", SCTRACE_MODE="overwrite")
    prefix = house.path("outside-taken")
    watcher = subprocess.Popen([house.command, "ctl", str(guest.pid), "snapshot", "--on", "exit==0", "-o", prefix],
                               stderr=subprocess.PIPE, cwd=house.root)
    guest.tell("g 10", "s 300")
    faults.expect(guest.end() == 0, "its own status")
    faults.expect(watcher.wait() == 0 and b"exit 0 of process" in watcher.stderr.read(), "ctl --on")
    faults.expect(b"getppid" in house.sctrace("print", prefix + "-1").stdout, "the newest up to then")


def main(build):
    faults = Faults()
    with House(build) as house:
        by_hand(house, faults)
        by_condition(house, faults)
        by_end(house, faults)
        from_outside(house, faults)
    return faults.status()


sys.exit(main(sys.argv[1]))

"""snapshot.py BUILD: a flight recorder's newest calls, copied while four threads go on writing: each copy is
a whole trace, of this moment; by hand and by a condition, of which the newest are kept.
"""
import glob
import os
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


def main(build):
    faults = Faults()
    with House(build) as house:
        by_hand(house, faults)
        by_condition(house, faults)
    return faults.status()


sys.exit(main(sys.argv[1]))

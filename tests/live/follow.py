"""follow.py BUILD: `print --follow` shows calls while the program runs, in the end the same lines as `print`,
and ends with the program; by pid and by name of the trace; ^C ends it alone.
"""
import re
import signal
import subprocess
import sys

from guest import PATIENCE, Faults, Guest, House, comes


class Follower:
    def __init__(self, house, *arguments):
        self.file = house.path("followed")
        with open(self.file, "wb") as out:
            self.child = subprocess.Popen([house.command, "print", "--follow", *arguments], stdout=out,
                                          stderr=subprocess.PIPE, cwd=house.root)

    def text(self):
        with open(self.file, "rb") as file:
            return file.read()

    def shows(self, line, times=1):
        return comes(lambda: self.text().count(line) >= times)


def whole(text):
    return [line for line in text.splitlines() if b"<unfinished" not in line and b"resumed>" not in line]


def main(build):
    faults = Faults()
    with House(build) as house:
        for mode, size in (("stream", "64K"), ("overwrite", "1M")):
            guest = Guest(house, f"trace-{mode}", SCTRACE_MODE=mode, SCTRACE_BUFFER=size)
            guest.tell("g 3")
            follower = Follower(house, guest.trace)
            faults.expect(follower.shows(b"getppid()", 3), mode, "what was there before")
            guest.tell("n 2")
            faults.expect(follower.shows(b"/no/such/file", 2), mode, "what happens while it runs")
            faults.expect(follower.child.poll() is None, mode, "it goes on")
            if mode == "stream":  # over many blocks, drained while they are read
                guest.tell("g 50000")
                faults.expect(follower.shows(b"getppid()", 50003), mode, follower.text().count(b"getppid()"))
            guest.end()
            faults.expect(follower.child.wait(PATIENCE) == 0, mode, "it ends with the program")
            faults.expect(follower.child.stderr.read() == b"", mode, "and complains of nothing")
            after = house.sctrace("print", guest.trace).stdout
            faults.expect(whole(after) == whole(follower.text()), mode, "follow and print show the same",
                          len(whole(after)), len(whole(follower.text())))
        by_pid(house, faults)
        judged(house, faults)
        wrong = subprocess.run([house.command, "print", "--follow", "no-such-program"], capture_output=True)
        faults.expect(wrong.returncode == 1 and wrong.stderr.count(b"\n") == 1, wrong)
    return faults.status()


def by_pid(house, faults):
    guest = Guest(house, "by-pid")
    guest.tell("g 1")
    follower = Follower(house, "-T", "--filter", "name==openat && errno!=0", str(guest.pid))
    guest.tell("n 1", "g 5")
    faults.expect(follower.shows(b"/no/such/file"), "by pid, filtered")
    faults.expect(not re.search(rb"getppid", follower.text()), "what the filter leaves out", follower.text())
    follower.child.send_signal(signal.SIGINT)
    faults.expect(follower.child.wait(PATIENCE) == 0, "^C ends it")
    guest.tell("g 1")
    faults.expect(guest.end() == 0, "and not the program")


def judged(house, faults):
    """The library takes entries back while we read: none of them may be seen, none that stays be missed."""
    guest = Guest(house, "judged", SCTRACE_FILTER="errno==ENOENT", SCTRACE_MODE="overwrite")
    follower = Follower(house, guest.trace) if comes(lambda: started(guest)) else None
    for _ in range(20):
        guest.tell("n 5", "g 2000")
    guest.end()
    faults.expect(follower.child.wait(PATIENCE) == 0, "judged: it ends")
    faults.expect(follower.text().count(b"/no/such/file") == 100, "judged:", follower.text().count(b"/no/such/file"))
    faults.expect(b"getppid" not in follower.text(), "judged: taken back but shown")
    faults.expect(follower.child.stderr.read() == b"", "judged: complaints")


def started(guest):
    guest.tell("g 1")
    return True


sys.exit(main(sys.argv[1]))

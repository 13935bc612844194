"""bar.py BUILD: on a terminal, work that takes longer than a moment shows how far it is, and leaves
nothing behind; nowhere else does it say a word."""
import os
import pty
import subprocess
import sys
import tempfile
import threading
import time

BUILD = os.path.abspath(sys.argv[1])
SCTRACE = os.path.join(BUILD, "sctrace")
CALLS = 60000
faults = []


def check(sentence, truth, more=""):
    if not truth:
        faults.append(sentence)
        print(f"not so: {sentence} {more}")


def run(folder, slow, *words):
    """stderr of a print -o, as a terminal got it, whose reader waits so long before it reads."""
    fifo = os.path.join(folder, "fifo")
    os.mkfifo(fifo)
    ours, theirs = pty.openpty()
    child = subprocess.Popen([SCTRACE, *words, "-o", fifo, os.path.join(folder, "trace")],
                             stderr=theirs, stdout=subprocess.DEVNULL)
    os.close(theirs)
    said = bytearray()

    def listen():
        try:
            while part := os.read(ours, 4096):
                said.extend(part)
        except OSError:  # the other end is closed
            pass

    listener = threading.Thread(target=listen)
    listener.start()
    with open(fifo, "rb") as lines:
        time.sleep(slow)
        count = lines.read().count(b"\n")
    check(f"{words} ends well", child.wait(60) == 0)
    listener.join(60)
    os.close(ours)
    os.unlink(fifo)
    return bytes(said), count


def main():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([SCTRACE, "record", "-q", "-o", os.path.join(folder, "trace"), "--", "dd", "if=/dev/zero",
                        "of=/dev/null", "bs=1", f"count={CALLS // 2}"], stderr=subprocess.DEVNULL, check=True,
                       env={**os.environ, "SCTRACE_STRSIZE": "all"})  # or what was cut is said, too
        said, count = run(folder, 2, "print", "-f")
        check("all lines are there", count >= CALLS, count)
        check("a bar is shown", b"] " in said and b" %" in said, said[-200:])
        check("and taken away", said.rstrip(b"\r\n").endswith(b"\x1b[K"), said[-200:])
        quiet = subprocess.run([SCTRACE, "print", "-f", "-o", os.devnull, os.path.join(folder, "trace")],
                               stderr=subprocess.PIPE, check=True).stderr
        check("a pipe is told nothing", quiet == b"", quiet)
    return 1 if faults else 0


sys.exit(main())

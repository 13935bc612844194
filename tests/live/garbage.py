"""garbage.py BUILD [SECONDS [SEED]]: somebody who may write to the files of a trace writes over all of them, and above
all over what programs and readers tell each other there: headers of images, of rings and of blocks, and the session.
Programs must not notice, one that looks at its signals, births and children all the time (stormy.c) and one that looks
at what it computes. Nor may what reads the trace die of it or go on for ever."""
import mmap
import os
import random
import shutil
import subprocess
import sys
import time

from guest import Faults, House, comes

HEADER, SLOT_HEADER = 65536, 4096
# Numbers that are near to what is right do more harm than any.
NUMBERS = (0, 1, 2, 3, 48, 4096, 1 << 16, 1 << 20, 1 << 31, 1 << 32, 1 << 47, 1 << 63, (1 << 64) - 1)


def words_of(path):
    """Where to write: the image's words and sites, each ring's header, the beginnings of blocks; the session's."""
    size = os.path.getsize(path)
    if path.endswith("session"):
        return list(range(0, size - 7, 8))
    words = list(range(0, 160, 8)) + [random.randrange(0, HEADER, 8) for _ in range(40)]
    with open(path, "rb") as file:
        file.seek(24)
        slot = int.from_bytes(file.read(8), "little")
    slot = slot if 4096 < slot <= 1 << 26 else SLOT_HEADER + (1 << 16)
    for begin in range(HEADER, min(size, HEADER + 8 * slot), slot):
        words += [begin + at for at in range(0, 128, 8)] * 4
        words += [begin + SLOT_HEADER + random.randrange(0, slot - SLOT_HEADER, 16384) + at
                  for at in range(0, 48, 8) if slot > SLOT_HEADER + 16384]
    words += [random.randrange(0, size - 7, 8) for _ in range(len(words) // 2)]
    return [word for word in words if word + 8 <= size]


def write_over(path, times):
    if os.path.getsize(path) < HEADER and not path.endswith("session"):
        return  # being made just now
    words = words_of(path)
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        for _ in range(times):
            at = random.choice(words)
            now = int.from_bytes(memory[at:at + 8], "little")
            number = random.choice((random.choice(NUMBERS), now + random.randrange(-70000, 70000), now ^ 1 <<
                                    random.randrange(64), random.getrandbits(64))) % (1 << 64)
            memory[at:at + 8] = number.to_bytes(8, "little")


WORK = """
import hashlib, os, select, subprocess, sys, tempfile, threading
wrong = []
def work():
    text = os.urandom(50000).hex()
    digest = hashlib.sha256(text.encode()).hexdigest()
    with tempfile.TemporaryFile() as file:
        for at in range(0, len(text), 700):
            os.write(file.fileno(), text[at:at + 700].encode())
        file.seek(0)
        if hashlib.sha256(file.read()).hexdigest() != digest:
            wrong.append("file")
    if subprocess.run(["sha256sum"], input=text, text=True, capture_output=True).stdout.split()[0] != digest:
        wrong.append("child")
while not select.select([sys.stdin], [], [], 0)[0]:
    threads = [threading.Thread(target=work) for _ in range(3)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
print("as it should be" if not wrong else wrong)
"""
MODES = (("overwrite", {}), ("stream", {}), ("discard", {}), ("counts", {}), ("stream", {"SCTRACE_FILTER": "dur>=0s"}),
         ("overwrite", {"SCTRACE_STACK": "auto"}), ("stream", {"SCTRACE_MAX_SIZE": "1G"}))


def read_it(house, faults, trace):
    """Whatever it says, it ends."""
    for words in (("print", trace), ("summary", trace), ("info", trace), ("check", trace), ("ctl", trace, "status")):
        try:
            done = house.sctrace(*words, timeout=60)
            faults.expect(done.returncode in (0, 1), words, done.returncode, done.stderr[-300:])
        except subprocess.TimeoutExpired:
            faults.expect(False, words, "does not end")


def under(house, faults, program, trace, mode, more, seconds):
    environment = house.environment("auto", trace, SCTRACE_MODE=mode, SCTRACE_BUFFER="64K", **more)
    child = subprocess.Popen(program, env=environment, cwd=house.root, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    comes(lambda: os.path.isdir(trace) and any(name.endswith(".ring") for name in os.listdir(trace)))
    end, wrote, enough = time.monotonic() + seconds, 0, 100
    while (time.monotonic() < end or (wrote <= enough and time.monotonic() < end + 30)) and child.poll() is None:
        for name in os.listdir(trace):
            if name != "session" or random.random() < 0.02:  # that may stop the recording
                write_over(os.path.join(trace, name), 20)
                wrote += 20
    try:
        out, err = child.communicate(b"x\n", timeout=60)
    except subprocess.TimeoutExpired:
        child.kill()
        out, err = child.communicate()
        faults.expect(False, mode, more, "hangs")
    faults.expect(child.returncode == 0 and b"fault" not in out and b"[" not in out, mode, more, program[0],
                  child.returncode, out[-500:], err[-500:])
    faults.expect(wrote > enough, mode, more, "written over", wrote)
    read_it(house, faults, trace)


def main(build, seconds="7", seed=None):
    faults, seed = Faults(), int(seed or random.randrange(1 << 30))
    random.seed(seed)
    with House(os.path.abspath(build)) as house:
        stormy = os.path.join(os.path.abspath(build), "tests", "live", "stormy")
        for number, (mode, more) in enumerate(MODES):
            for program in ([stormy], [sys.executable, "-c", WORK]):
                trace = house.path(f"trace-{number}-{len(program)}")
                under(house, faults, program, trace, mode, more, float(seconds) / len(MODES) / 2)
                shutil.rmtree(trace)
    if faults.count:
        print("seed", seed)
    return faults.status()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

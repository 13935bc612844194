"""run.py BUILD TIMES SEED: kills a recorded program TIMES times at random moments.

Two threads write growing numbers to a file each. What reached a file was written by a call, so its record
was committed before: the trace must hold every number from 1 to that one, for each thread in order, and
at most one more. print must read it all, say that it is torn, and check --repair must make it whole.
"""
import collections
import os
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from traced import DOORS, House  # noqa: E402

PWRITE64 = 18


def recorded(build, trace):
    done = subprocess.run([os.path.join(build, "tests/complete/test_dump"), trace], capture_output=True,
                          text=True)
    numbers = collections.defaultdict(list)
    for line in done.stdout.splitlines():
        left, _, right = line.partition("|")
        words = left.split()
        if words[0] == "call" and int(words[3]) == PWRITE64:
            numbers[int(words[2])].append(int.from_bytes(bytes.fromhex(right), "little"))
        if words[0] == "lost":
            numbers["lost"].append(int(words[1]))
    return numbers, done.stderr


def faults_of(build, house, trace, files):
    numbers, errors = recorded(build, trace)
    if errors:
        yield errors
    if numbers.pop("lost", None):
        yield "calls were lost"
    reached = []
    for file in files:
        try:
            with open(file, "rb") as opened:
                reached.append(int.from_bytes(opened.read(8), "little"))
        except FileNotFoundError:
            reached.append(0)
    for tid, row in numbers.items():
        if row != list(range(1, len(row) + 1)):
            wrong = next(i for i, n in enumerate(row) if n != i + 1)
            yield f"thread {tid}: after {wrong} comes {row[wrong:wrong + 3]}"
    counts = sorted(len(row) for row in numbers.values()) + [0, 0]
    counts = sorted(counts, reverse=True)[:2]
    for has, file in zip(counts, sorted(reached, reverse=True)):
        if not file <= has <= file + 1:
            yield f"the file says {file}, the trace has {has} ({counts} {reached})"
    shown = house.sctrace("print", "-f", trace)
    if shown.returncode != 0:
        yield f"print ended with {shown.returncode}: {shown.stderr[:300]}"
    if shown.stdout.count(b"pwrite64(") < sum(counts):
        yield f"print shows {shown.stdout.count(b'pwrite64(')} of {sum(counts)}"
    repaired = house.sctrace("check", "--repair", trace)
    if repaired.returncode != 0:
        yield f"check --repair ended with {repaired.returncode}: {repaired.stderr[:300]}"
    whole = house.sctrace("check", trace)
    if whole.returncode != 0:
        yield f"after the repair check ended with {whole.returncode}: {whole.stderr[:300]} {whole.stdout[:300]}"
    again = recorded(build, trace)[0]
    again.pop("lost", None)
    if again != numbers:
        yield "the repair changed what is recorded"


def main(build, times, seed):
    build = os.path.abspath(build)
    chance = random.Random(int(seed))
    failed = total = 0
    with House(build) as house:
        for i in range(int(times)):
            work, trace = house.fresh("work"), house.path("trace")
            subprocess.run(["rm", "-rf", trace], check=True)
            files = [os.path.join(work, "a"), os.path.join(work, "b")]
            env = house.environment(DOORS[i % 4 == 3], trace, SCTRACE_BUFFER=chance.choice(["64K", "1M", "4M"]))
            child = subprocess.Popen([os.path.join(build, "tests/kill/test_counter"), *files], env=env, cwd=work)
            while not os.path.exists(files[i % 2]) and child.poll() is None:
                pass
            time.sleep(chance.random() ** 3 * 0.25)
            child.send_signal(signal.SIGKILL)
            if child.wait() != -signal.SIGKILL:
                print(f"FAULT round {i}: the program ended with {child.returncode}")
                failed += 1
            for fault in faults_of(build, house, trace, files):
                print(f"FAULT round {i}: {fault}")
                failed += 1
                if os.environ.get("KEEP"):
                    house.kept = True
                    return 1
            total += 1
    print(f"{total} rounds, {failed} faults")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""How `print -f` says that threads and processes end, beside strace -f: the same words of each thread.
ends.py BUILD PROGRAM. Needs strace and ptrace."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from traced import House, need_programs, skip

WAYS = ("all-at-once", "one-by-one", "another", "first-leaves", "killed", "execs", "another-execs")


def ends(text):
    """(which thread, words) of each end, threads by age; who the last is, and who must be, decides
    the kernel."""
    lines = [match.groups() for match in re.finditer(r"^(\d+) +(.*)$", text, re.M)]
    age = {tid: n for n, tid in enumerate(sorted({int(tid) for tid, _ in lines}))}
    told = [(age[int(tid)], words) for tid, words in lines if words.startswith("+++")]
    of_thread = [(n, re.sub(r"in pid \d+", lambda m: f"in {age[int(m[0][7:])]}", words))
                 for n, words in told]
    return sorted(of_thread), told[-1] if told else None


def main(build, program):
    need_programs(["strace"])
    faults = []
    with House(build) as house:
        for way in WAYS:
            file = house.path("strace")
            done = house.run(["strace", "-f", "-o", file, program, way], house.environment(),
                             house.fresh("in"))
            if not os.path.exists(file) or os.path.getsize(file) == 0:
                skip("strace may not trace here: " + done.stderr.decode(errors="replace"))
            with open(file) as told:
                theirs = ends(told.read())
            for door in ("auto", "trap"):
                trace = house.path(f"{way}-{door}")
                house.run([program, way], house.environment(door, trace), house.fresh("in"))
                shown = house.sctrace("print", "-f", trace).stdout.decode(errors="replace")
                if ends(shown) != theirs:
                    faults.append(f"{way}, {door}: {ends(shown)}, strace {theirs}")
                # Of some calls only, of one thread: the ends stay as they are.
                some = house.sctrace("print", "-f", "-e", "trace=rseq,set_robust_list", trace)
                if ends(some.stdout.decode(errors="replace"))[0] != theirs[0] and "exec" not in way:
                    faults.append(f"{way}, {door}, of few calls: {some.stdout.decode()}")
    print("\n".join(faults) or f"{len(WAYS)} ways to end as strace says them")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*(os.path.abspath(name) for name in sys.argv[1:])))

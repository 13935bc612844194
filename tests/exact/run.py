"""run.py BUILD ROUNDS [WHAT]: memory that another thread flips during the calls. In exact mode the trace
says what the kernel used, call by call; the ordinary mode's mismatches are counted and shown."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from traced import House  # noqa: E402

KINDS = {"data": "write", "vector": "writev", "path": "open", "read": "pread64"}
BYTES = 64


def recorded(build, house, trace, call):
    done = house.run([os.path.join(build, "tests", "exact", "calls"), trace, call], dict(os.environ), "/", 300)
    if done.status != 0:
        raise AssertionError(done.stderr.decode(errors="replace"))
    return done.stdout.decode().split()


def used(kind, output, rounds):
    """What the kernel worked with, by what it did."""
    if kind == "path":
        return [bytes([letter, 0]).hex() for letter in output]
    if kind == "read":
        return ["00" * BYTES] * rounds
    return [output[i:i + BYTES].hex() for i in range(0, len(output), BYTES)]


def main(build, rounds, only=None):
    build, rounds, failed = os.path.abspath(build), int(rounds), False
    with House(build) as house:
        program = os.path.join(build, "tests", "exact", "race")
        for kind, call in KINDS.items():
            if only not in (None, kind):
                continue
            for exact in ("1", "0"):
                trace = house.path(f"{kind}-{exact}")
                env = house.environment("auto", trace, SCTRACE_EXACT=exact, SCTRACE_TRACE=call)
                done = house.run([program, kind, str(rounds)], env, house.fresh("work"), 600)
                says = recorded(build, house, trace, call)
                truth = used(kind, done.stdout, rounds)
                marked = sum(not line.startswith("-") for line in says)
                wrong = sum(a.lstrip("-") != b for a, b in zip(says, truth))
                print(f"{kind:7} {'exact' if exact == '1' else 'ordinary':8} {len(says)} calls, {wrong} recorded "
                      f"otherwise than the kernel used, {marked} marked as exact")
                if done.status != 0 or len(says) != rounds or len(truth) != rounds:
                    print("FAULT", done.status, len(says), len(truth), done.stderr[:300])
                    failed = True
                if exact == "1" and (wrong or marked != rounds):
                    print("FAULT the record is not what the kernel used")
                    failed = True
                if exact == "0" and marked:
                    print("FAULT marked as exact, and was not")
                    failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""frames.py BUILD REPEATS FRAMES FRAMES_WITH_POINTERS: what keeping stacks adds to a recorded call, and with each
further frame: the slope between two depths. Of each the best of REPEATS alternated runs, on one processor."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from traced import House  # noqa: E402

DEPTHS = (4, 44)


def main(build, repeats, plain, pointers):
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    ways = {"off": plain, "fp": pointers, "unwind": plain, "auto": plain}
    best = {(how, depth): float("inf") for how in ways for depth in DEPTHS}
    with House(os.path.abspath(build)) as house:
        for turn in range(int(repeats)):
            for how, depth in best:
                env = house.environment("auto", house.path(f"trace-{turn}-{how}-{depth}"), SCTRACE_STACK=how,
                                        SCTRACE_STACK_DEPTH="64", SCTRACE_MODE="overwrite")
                done = subprocess.run([ways[how], str(depth)], env=env, capture_output=True, check=True)
                best[how, depth] = min(best[how, depth], float(done.stdout))
    low, high = DEPTHS
    print("| SCTRACE_STACK | ns a call, 4 deep | added | ns a frame |\n|---|---:|---:|---:|")
    for how in ways:
        slope = (best[how, high] - best[how, low]) / (high - low)
        print(f"| {how} | {best[how, low]:.0f} | {best[how, low] - best['off', low]:+.0f} | {slope:.1f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

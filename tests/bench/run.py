"""run.py BUILD REPEATS: what a recorded call costs beside a bare one, and a start beside a bare start.

All configurations take turns in one run, REPEATS times, on one processor; a table of medians with half
the spread between the quartiles goes to stdout, everything to BUILD/bench.json. Rounds in which the
native probe says that the machine was busy with something else are made again, up to as many times.
"""
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from traced import House  # noqa: E402


def configurations(house):
    trace = house.path("trace")

    def under(**settings):
        return [], {"LD_PRELOAD": house.library, "SCTRACE_OUTPUT": trace, **settings}

    found = {
        "native": ([], {}),
        "recorded, overwrite": under(SCTRACE_MODE="overwrite"),
        "recorded, stream": under(SCTRACE_MODE="stream", SCTRACE_MAX_SIZE="8G"),
        "trapped (SUD alone)": under(SCTRACE_MODE="overwrite", SCTRACE_DOORS="trap"),
    }
    if shutil.which("strace"):
        found["strace -f"] = (["strace", "-f", "-o", "/dev/null"], {})
    return found


def measured(house, calls, prefix, settings, seconds):
    shutil.rmtree(house.path("trace"), ignore_errors=True)
    env = {**house.environment(), **settings}
    done = subprocess.run(["taskset", "-c", "1" if os.cpu_count() > 1 else "0", *prefix, calls, str(seconds)],
                          env=env, capture_output=True, text=True, timeout=300)
    return {name: float(ns) for name, ns in (line.split("\t") for line in done.stdout.splitlines())}


def start_ms(house, prefix, settings):
    shutil.rmtree(house.path("trace"), ignore_errors=True)
    env = {**house.environment(), **settings}
    best = []
    for _ in range(10):
        began = time.monotonic()
        subprocess.run([*prefix, "/bin/true"], env=env, check=False)
        best.append((time.monotonic() - began) * 1e3)
    return statistics.median(best)


def spread(values):
    if len(values) < 4:
        return (max(values) - min(values)) / 2
    low, _, high = statistics.quantiles(values, n=4)
    return (high - low) / 2


def main(build, repeats):
    build, repeats = os.path.abspath(build), int(repeats)
    with House(build) as house:
        # The program lies outside the build's folder while it runs: its name is short in the traces.
        calls = shutil.copy(os.path.join(build, "tests/bench/bench_calls"), house.path("calls"))
        kinds = configurations(house)
        rounds, again, quiet = [], repeats, None
        while len(rounds) < repeats:
            row = {}
            for name, (prefix, settings) in kinds.items():
                row[name] = measured(house, calls, prefix, settings, 0.3)
                row[name]["start of /bin/true"] = start_ms(house, prefix, settings) * 1e6
            probe = row["native"]["probe"]
            quiet = min(quiet or probe, probe)
            if probe > quiet * 1.15 and again:
                again -= 1
                continue
            rounds.append(row)
    tests = [name for name in rounds[0]["native"] if name != "probe"]
    unit = {name: 1e6 if name.startswith("start") else 1 for name in tests}
    print(f"\n{repeats} alternated rounds; median and half the quartile spread; ns, a start in ms")
    print("| | " + " | ".join(tests) + " |")
    print("|---|" + "---:|" * len(tests))
    for kind in kinds:
        cells = []
        for test in tests:
            values = [row[kind].get(test, float("nan")) / unit[test] for row in rounds]
            native = statistics.median(row["native"][test] / unit[test] for row in rounds)
            middle = statistics.median(values)
            digits = 1 if unit[test] > 1 else 0
            extra = "" if kind == "native" else f" (+{middle - native:.{digits}f})"
            cells.append(f"{middle:.{digits}f}{extra} ±{spread(values):.1f}")
        print(f"| {kind} | " + " | ".join(cells) + " |")
    with open(os.path.join(build, "bench.json"), "w") as file:
        json.dump({"unit": "ns", "kernel": os.uname().release, "rounds": rounds}, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""counts.py BUILD: SCTRACE_MODE=counts says of calls, errors and times what a trace of records says."""
import json
import os
import signal
import subprocess
import sys

from guest import Faults, Guest, House, comes, run

TREE = "ls / >/dev/null; (ls /nonexistent; true) 2>/dev/null; ls /etc | wc -l >/dev/null"
TOLD = ["g 500", "n 7", "o 20", "s 20", "s 30", "g 3"]


def summary(house, trace, *options):
    return json.loads(house.sctrace("summary", "--json", *options, trace).stdout)


def sums(found):
    """Of calls that came back. (An exec that did its work did not: records show it all the same.)"""
    return {row["name"]: (row["calls"], row["errors"]) for row in found.get("syscalls", found.get("rows"))
            if row["calls"] and row["name"] != "execve"}


def makes_sense(row):
    order = [row[key] for key in ("ns_min", "ns_p50", "ns_p90", "ns_p99", "ns_max")]
    return order == sorted(order) and row["ns_min"] * row["calls"] <= row["ns_total"] + row["calls"] and \
        row["ns_total"] <= (row["ns_max"] + 1) * row["calls"] and \
        sum(n for _, n in row["histogram"]) == row["calls"]


def same_as_records(house, faults):
    for door in ("auto", "trap"):
        seen = {}
        for mode in ("stream", "counts"):
            trace = f"{mode}-{door}"
            run(house, trace, TOLD, SCTRACE_MODE=mode, SCTRACE_DOORS=door)
            seen[mode] = summary(house, house.path(trace), "--histogram")
        faults.expect(sums(seen["stream"]) == sums(seen["counts"]), door, sums(seen["stream"]), sums(seen["counts"]))
        rows = {row["name"]: row for row in seen["counts"]["syscalls"]}
        faults.expect(all(makes_sense(row) for row in rows.values()), door, rows)
        slept = rows["clock_nanosleep"]
        faults.expect(slept["calls"] == 2 and 50_000_000 <= slept["ns_total"] and slept["ns_min"] >= 20_000_000 and
                      slept["ns_max"] >= 30_000_000, door, slept)
        faults.expect(seen["counts"]["run"]["threads"] == 1, seen["counts"]["run"])
        for verb in (["check"], ["info"], ["diff", house.path(trace)]):
            done = house.sctrace(*verb, house.path(trace))
            faults.expect(done.returncode == 0, verb, done.stdout, done.stderr)
        shown = house.sctrace("print", house.path(trace))
        faults.expect(not shown.stdout and b"counted, and not recorded" in shown.stderr, shown)


def of_a_tree(house, faults):
    """Processes that are forked and executed; the same for each mode."""
    seen = {}
    for mode in ("stream", "counts"):
        trace = house.path(f"tree-{mode}")
        subprocess.run(["/bin/sh", "-c", TREE], env=house.environment("auto", trace, SCTRACE_MODE=mode),
                       check=True, cwd="/")
        seen[mode] = summary(house, trace)
    # How often a reader of a pipe finds it empty may differ.
    few = {mode: {name: n for name, n in sums(found).items() if name not in ("read", "wait4", "rt_sigreturn")}
           for mode, found in seen.items()}
    faults.expect(few["stream"] == few["counts"], few)
    faults.expect(seen["stream"]["run"]["processes"] == seen["counts"]["run"]["processes"], seen)


def of_threads(house, faults):
    """Of each its own; and all is there after kill -9, or while the program runs."""
    guest = Guest(house, "threads", SCTRACE_MODE="counts")
    guest.tell("g 100", "l")
    rows = comes(lambda: [row for row in summary(house, guest.trace, "--by", "thread")["rows"]
                          if row["calls"] > 1000] if os.path.exists(guest.trace) else [])
    comes(lambda: len([row for row in summary(house, guest.trace, "--by", "thread")["rows"]
                       if row["calls"] > 1000]) >= 4)
    top = house.sctrace("top", "-b", "2", "-d", "0.2", str(guest.pid))
    faults.expect(b"getppid" in top.stdout, "top", top.stdout, top.stderr)
    os.kill(guest.pid, signal.SIGKILL)
    faults.expect(guest.end() == -signal.SIGKILL, rows)
    threads = summary(house, guest.trace, "--by", "thread")
    busy = [row for row in threads["rows"] if row["calls"] > 1000]
    faults.expect(len(busy) == 4 and threads["run"]["threads"] == 5, threads)
    whole = sums(summary(house, guest.trace))
    faults.expect(whole["getppid"][0] >= sum(row["calls"] for row in busy), whole, busy)
    checked = house.sctrace("check", guest.trace)
    faults.expect(checked.returncode == 0, checked.stdout)


def chosen_calls(house, faults):
    guest, status = run(house, "chosen", TOLD, SCTRACE_MODE="counts", SCTRACE_TRACE="getppid", SCTRACE_SAMPLE="2")
    faults.expect(status == 0 and sums(summary(house, guest.trace)) == {"getppid": (503, 0)},
                  sums(summary(house, guest.trace)))


def main(build):
    faults = Faults()
    with House(build) as house:
        for test in (same_as_records, of_a_tree, of_threads, chosen_calls):
            test(house, faults)
    return faults.status()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

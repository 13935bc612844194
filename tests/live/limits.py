"""limits.py BUILD: `record --max-time` and `--max-calls` end the recording, and not the program."""
import json
import subprocess
import sys
import time

from guest import PATIENCE, Faults, House

# Children are born all the time, in what may be the wrong moment.
STEADY = "n=0; while [ $n -lt 60 ]; do /bin/true; sleep 0.02; n=$((n+1)); done; echo done"


def record(house, trace, *options):
    return subprocess.run([house.command, "record", "-o", trace, *options, "--", "sh", "-c", STEADY],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)


def calls(house, trace):
    rows = json.loads(house.sctrace("summary", "--json", trace).stdout)["syscalls"]
    return sum(row["calls"] for row in rows)


def main(build):
    faults = Faults()
    with House(build) as house:
        began = time.monotonic()
        record(house, house.path("all"))
        everything, took = calls(house, house.path("all")), time.monotonic() - began
        for options in (("--max-time", f"{int(took * 250)}ms"), ("--max-calls", str(everything // 4))):
            trace = house.path(options[0])
            done = record(house, trace, *options)
            faults.expect(done.returncode == 0 and done.stdout == b"done\n", options, done)
            faults.expect(done.stderr.count(b"the limit is reached") == 1, options, done.stderr)
            kept = calls(house, trace)
            faults.expect(everything / 20 < kept < everything * 0.8, options, "kept", kept, "of", everything)
            checked = house.sctrace("check", trace)
            faults.expect(checked.returncode == 0, options, checked.stdout, checked.stderr)
        enough = record(house, house.path("enough"), "--max-time", "1h")
        faults.expect(b"limit" not in enough.stderr, enough.stderr)
        for wrong in ("soon", "10", "0s"):
            done = record(house, house.path("wrong"), "--max-time", wrong)
            faults.expect(done.returncode == 2 and wrong.encode() in done.stderr, wrong, done)
    return faults.status()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""full.py BUILD: no room for the trace: a small tmpfs full from the start, or filling up in mid-run, and
SCTRACE_MAX_SIZE. The program is unchanged, what was lost is counted, what is there can be read."""
import os
import sys

from asked import Asker, House
from traced import DOORS, skip

# Works long enough to fill a megabyte many times over.
PROGRAM = ["/bin/sh", "-c", "i=0; while [ $i -lt 60 ]; do ls -l /usr/include; i=$((i + 1)); done | cksum;"
           " echo err >&2; exit 7"]


def main(build):
    if os.geteuid() != 0:
        skip("needs root to mount a tmpfs")
    asker = Asker()
    with House(os.path.abspath(build)) as house:
        work = house.fresh("work")
        native = house.run(PROGRAM, house.environment(), work)
        place, kept = house.fresh("small"), house.path("kept")
        for door in DOORS:
            for case, before in (("fills up", "true"),
                                 ("full", f"head -c 4m /dev/zero >{place}/filler 2>/dev/null; true"),
                                 ("all but full", f"head -c 900k /dev/zero >{place}/filler; true")):
                house.fresh("kept")
                script = (f"mount --make-rprivate /; mount -t tmpfs -o size=1m tmpfs {place} && {{ {before}; }}"
                          f" && env LD_PRELOAD={house.library} SCTRACE_DOORS={door} SCTRACE_OUTPUT={place}/trace"
                          f" TMPDIR={place} SCTRACE_BUFFER=256K \"$@\"; status=$?;"
                          f" cp -r --sparse=always {place}/trace {kept}/ 2>/dev/null; exit $status")
                done = house.run(["unshare", "-m", "sh", "-c", script, "sh", *PROGRAM], house.environment(), work,
                                 120)
                name = f"{case}, {door}"
                asker.unchanged(name, native, done, f"{place}/trace" if done.stderr.count(b"sctrace:") else None)
                trace = os.path.join(kept, "trace")
                if case == "fills up":
                    info = house.info(trace)
                    if not info.get("lost"):
                        asker.fault(name, f"nothing lost in 1 MiB: {info}")
                if os.path.isdir(trace) and os.listdir(trace):
                    shown = house.sctrace("print", "-f", trace)
                    if shown.returncode not in (0, 1):
                        asker.fault(name, f"print ended with {shown.returncode}: {shown.stderr[:300]}")
        trace = house.path("limited")
        done = house.run(PROGRAM, house.environment("auto", trace, SCTRACE_MAX_SIZE="2M"), work)
        asker.unchanged("SCTRACE_MAX_SIZE", native, done)
        used = sum(os.stat(os.path.join(trace, name)).st_blocks * 512 for name in os.listdir(trace))
        if used > 4 << 20:
            asker.fault("SCTRACE_MAX_SIZE=2M", f"takes {used} bytes")
        if not house.info(trace).get("lost"):
            asker.fault("SCTRACE_MAX_SIZE=2M", "nothing counted as lost")
    asker.done()


main(*sys.argv[1:])

"""late.py BUILD PROGRAM: what is loaded after the start goes by stubs too, and behaves as natively.

Only the hundred calls from the page that the program made writable may go by the trap: what was in
our way there was taken back, and nobody proves that the page is still what it was.
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from traced import House, differences, tree  # noqa: E402


def main(build, program):
    import json
    build, program = os.path.abspath(build), os.path.abspath(program)
    faults = []
    with House(build) as house:
        def outcome(door=None, trace=None):
            work = house.fresh("work")
            done = house.run([program], house.environment(door, trace), work, 60)
            done.files = tree(work)
            return done

        native, trace = outcome(), house.path("trace")
        print(native.stdout.decode())
        if native.status != 0:
            faults.append(f"natively it ended with {native.status}")
        faults += differences(native, outcome("auto", trace)) + house.trace_faults(trace)
        info = json.loads(subprocess.run([os.path.join(build, "sctrace"), "info", "--json", trace],
                                         capture_output=True, check=True).stdout)
        print("calls", info["calls"])
        if info["calls"]["trap"] > 100:
            faults.append(f"{info['calls']['trap']} calls by the trap, 100 expected")
        if info["calls"]["stub"] < 700:
            faults.append(f"only {info['calls']['stub']} calls by stubs")
        by_object = {o["path"]: o["calls"] for o in info["objects"] if "calls" in o}
        print("by object", by_object)
        for door, calls in info["calls"].items():
            if sum(c[door] for c in by_object.values()) != calls:
                faults.append(f"the objects' calls by {door} are not all of {calls}")
        for path, calls in by_object.items():
            if "libc.so" in path and calls["trap"]:
                faults.append(f"{path}: {calls['trap']} calls by the trap")
        if not any("guest_plugin_0" in path or "plugin_0" in path for path in by_object):
            faults.append("no call of the plugin's")
        quick = json.loads(subprocess.run([os.path.join(build, "sctrace"), "info", "--json", "--headers", trace],
                                          capture_output=True, check=True).stdout)
        if any("calls" in o for o in quick["objects"]):
            faults.append("--headers counted calls of objects")
    for fault in faults:
        print("FAULT", fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

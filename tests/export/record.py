"""record.py BUILD PROGRAM: records the one trace that all readers of exports are tried on."""
import os
import shutil
import sys

from traced import House

build, program = map(os.path.abspath, sys.argv[1:3])
place = os.path.join(build, "tests", "export", "work")
shutil.rmtree(place, ignore_errors=True)
os.makedirs(place)
with House(build) as house:
    trace = os.path.join(place, "trace")
    done = house.run([program], house.environment("auto", trace), place)
    faults = house.trace_faults(trace, ["accept", "execve", "prctl", "nanosleep,clock_nanosleep"])
    if done.status != 5:
        faults.append(f"the program ended with {done.status}: {done.stderr}")
print("\n".join(faults) or "recorded")
sys.exit(bool(faults))

"""run.py BUILD READER: the guest's trace in one form, read by a reader that is not ours. Counts and
times must be summary's, exactly."""
import sys

import harness
from harness import Views
from packets import pcapng
from profiles import folded, pprof, prometheus, speedscope
from report_test import report
from stores import json_lines, parquet, sqlite
from sums import diff, summary
from traced import House

READERS = {"summary": summary, "folded": folded, "speedscope": speedscope, "pprof": pprof,
           "prometheus": prometheus, "sqlite": sqlite, "parquet": parquet, "json": json_lines,
           "pcapng": pcapng, "diff": diff, "report": report}

with House(harness.BUILD) as house:
    views = Views(house)
    if not harness.faults:
        READERS[sys.argv[2]](views)
print(f"{len(harness.faults)} failed" if harness.faults else "all as expected")
sys.exit(bool(harness.faults))

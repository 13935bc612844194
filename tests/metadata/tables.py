"""tables.py OBJECTS...: no object of the command holds an array of arch's table. What it knows of calls, words
and structs it takes from the text alone (formats/read/table.h), so that a trace's own text is what counts."""
import re
import subprocess
import sys

ARRAYS = re.compile(r"sctrace::arch::(table|links|all_requests|layout_bytes|"
                    r"fold::(vocabulary|commands|ranges|members|written_requests|first))$")

found = []
for path in sys.argv[1:]:
    listed = subprocess.run(["nm", "-C", "-A", path], capture_output=True, text=True, check=True).stdout
    if "sctrace" not in listed:
        found.append(f"{path}: no symbols to look at")
    found += [line for line in listed.splitlines() if ARRAYS.search(line)]
print("\n".join(found) or "no table but the text")
sys.exit(bool(found))

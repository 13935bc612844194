"""Brendan Gregg's flamegraph.pl, as Debian has it in libdevel-nytprof-perl, and what is read from its picture."""
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as xml

from harness import check, skip

DEBIAN = "/usr/share/perl5/Devel/NYTProf/flamegraph.pl"
LINE = re.compile(r"^(.*)\s+?(\d+(?:\.\d*)?)$")  # what it and difffolded.pl take for a line


def drawn(file, unit):
    """Of each name the sum of its boxes, and the titles themselves. Each box is drawn, however narrow."""
    program = shutil.which("flamegraph.pl") or DEBIAN
    if not os.path.exists(program):
        skip("no flamegraph.pl here: it is in libdevel-nytprof-perl")
    done = subprocess.run(["perl", program, "--minwidth", "0", "--countname", unit, file], capture_output=True,
                          timeout=120)
    check("flamegraph.pl has nothing to say", done.returncode == 0 and not done.stderr, done.stderr)
    sums, titles = {}, [one.text for one in xml.fromstring(done.stdout).iter("{http://www.w3.org/2000/svg}title")]
    for title in titles:
        name, number = re.match(rf"(.*) \(([\d,]+) {unit}, [\d.]+%(?:; .*)?\)$", title, re.S).groups()
        sums[name] = sums.get(name, 0) + int(number.replace(",", ""))
    return sums, titles


def differential(before, after, to):
    """difffolded.pl's output, by itself where it is installed. No package of Debian or npm has it; its rule is
    short: the same lines, their numbers added up by stack, one column for each file."""
    if shutil.which("difffolded.pl"):
        with open(to, "wb") as file:
            subprocess.run(["difffolded.pl", before, after], stdout=file, check=True, timeout=60)
        return
    columns = {}
    for place, name in enumerate((before, after)):
        with open(name, errors="surrogateescape") as file:
            for line in file:
                stack, number = LINE.match(line).groups()
                columns.setdefault(stack, [0, 0])[place] += int(number)
    with open(to, "w", errors="surrogateescape") as file:
        for stack, (a, b) in columns.items():
            file.write(f"{stack} {a} {b}\n")

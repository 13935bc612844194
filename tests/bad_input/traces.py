"""traces.py BUILD: every reporting verb on what is no trace, or no whole one: exit status 1 and one line."""
import os
import subprocess
import sys

from asked import Asker, House

VERBS = ["print", "info", "check", "summary"]


def main(build):
    asker = Asker()
    with House(os.path.abspath(build)) as house:
        work = house.fresh("work")
        house.fresh("empty")
        open(house.path("file"), "w").close()
        house.fresh("foreign")
        open(house.path("foreign", "session"), "w").write("nothing of ours\n" * 500)
        real = house.path("real")
        house.run(["/bin/ls", "/"], house.environment("auto", real), work)

        def damaged(name, change):
            subprocess.run(["cp", "-r", "--sparse=always", real, house.path(name)], check=True)
            path = house.path(name, "session")
            with open(path, "r+b") as file:
                change(file)
            return house.path(name)

        def version(file):
            file.seek(8)
            file.write(b"\x63\0\0\0")

        cases = [("not there", house.path("not-there")), ("an empty folder", house.path("empty")),
                 ("a file", house.path("file")), ("a foreign folder", house.path("foreign")),
                 ("an empty session", damaged("cut", lambda f: f.truncate(0))),
                 ("a short session", damaged("short", lambda f: f.truncate(20))),
                 ("another version", damaged("version", version))]
        for case, path in cases:
            for verb in VERBS:
                done = house.sctrace(verb, path)
                name = f"{verb} of {case}"
                if done.returncode != 1:
                    asker.fault(name, f"ended with {done.returncode}")
                asker.one_line(name, done.stderr, "")
                if len(done.stderr.splitlines()) != 1:
                    asker.fault(name, f"{len(done.stderr.splitlines())} lines: {done.stderr[:300]}")
        for case, words in (("no such verb", ["prinnt"]), ("no such option", ["print", "--nonsense"])):
            done = house.sctrace(*words)
            if done.returncode != 2 or not done.stderr:
                asker.fault(case, f"ended with {done.returncode}: {done.stderr[:200]}")
    asker.done()


main(*sys.argv[1:])

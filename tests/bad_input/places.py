"""places.py BUILD: output folders that can't be made, that others planted, and machines without /dev/shm."""
import os
import stat
import sys

from asked import PROGRAM, Asker, House


def rights(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def main(build):
    asker = Asker()
    with House(os.path.abspath(build)) as house:
        work, spare = house.fresh("work"), house.fresh("spare")
        native = house.run(PROGRAM, house.environment(), work)

        def run(case, output, says):
            env = house.environment("auto", output, TMPDIR=spare)
            asker.unchanged(case, native, house.run(PROGRAM, env, work), says)

        # Not creatable: said in one line, and the trace is in TMPDIR instead.
        open(house.path("file"), "w").close()
        for case, output in (("below a file", house.path("file", "trace")),
                             ("in a folder that is none", "/proc/nothing/trace"),
                             ("a file is there", house.path("file")),
                             ("name too long", house.path("x" * 300))):
            before = set(os.listdir(spare))
            run(case, output, output[:100])
            if set(os.listdir(spare)) == before:
                asker.fault(case, "no trace in TMPDIR")

        # A trace is its owner's alone.
        run("plain", house.path("plain"), None)
        if rights(house.path("plain")) != 0o700:
            asker.fault("plain", f"folder has rights {rights(house.path('plain')):o}")
        for name in os.listdir(house.path("plain")):
            if rights(house.path("plain", name)) != 0o600:
                asker.fault("plain", f"{name} has rights {rights(house.path('plain', name)):o}")

        # Planted by somebody else: a link to a folder of theirs, or a folder that others may write.
        theirs = house.fresh("theirs")
        os.chmod(theirs, 0o777)
        os.symlink(theirs, house.path("link"))
        if os.geteuid() == 0:
            os.chown(theirs, 65534, 65534)
            os.chown(house.path("link"), 65534, 65534, follow_symlinks=False)
        run("a link that was planted", house.path("link"), "link")
        run("a folder of somebody else", theirs, "theirs")
        if os.listdir(theirs):
            asker.fault("planted", f"wrote into it: {os.listdir(theirs)}")
        dangling = house.path("dangling")
        os.symlink(house.path("made-by-link"), dangling)
        run("a link to nothing", dangling, "dangling")
        if os.path.exists(house.path("made-by-link")):
            asker.fault("a link to nothing", "it was followed")

        if os.geteuid() == 0:
            hidden = house.fresh("hidden")
            for case, script in (("no /dev/shm", f"mount --bind {hidden} /dev/shm && chmod 0 /dev/shm"),
                                 ("/dev/shm read-only", "mount -o remount,ro,bind /dev/shm /dev/shm")):
                trace = house.path(case.replace("/", "_"))
                inside = ["unshare", "-m", "sh", "-c", f"mount --make-rprivate /; {script}; exec \"$@\"", "sh",
                          "env", f"LD_PRELOAD={house.library}", f"SCTRACE_OUTPUT={trace}", *PROGRAM]
                env = house.environment(None, None, TMPDIR=spare)
                asker.unchanged(case, native, house.run(inside, env, work))
                for fault in house.trace_faults(trace):
                    asker.fault(case, fault)
    asker.done()


main(*sys.argv[1:])

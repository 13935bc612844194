"""plans.py BUILD: kept plans that are torn, turned, planted or somebody else's: the program runs as ever,
patched as if there were none, and not a word is said."""
import os
import shutil
import stat
import sys

from asked import PROGRAM, Asker, House
from traced import skip

DESCRIPTORS = ["/bin/sh", "-c", "ls /proc/$$/fd"]


class Plans:
    def __init__(self, house, asker):
        self.house, self.asker, self.work = house, asker, house.fresh("work")
        self.native = house.run(PROGRAM, house.environment(), self.work)
        self.runs = 0
        self.sites = None
        self.folder = house.path("cache")

    def run(self, case, argv=PROGRAM, wrapped=(), **more):
        """One recorded run; its sites must be those of a run that keeps nothing."""
        self.runs += 1
        trace = self.house.path(f"trace{self.runs}")
        env = {**self.house.environment("auto", trace), "SCTRACE_CACHE": self.folder, **more}
        env = {name: value for name, value in env.items() if value is not None}
        inside = {name: env.pop(name) for name in ("LD_PRELOAD",) if wrapped}
        argv = [*wrapped, *(["env", *(f"{n}={v}" for n, v in inside.items())] if wrapped else []), *argv]
        done = self.house.run(argv, env, self.work)
        if argv[-len(PROGRAM):] == PROGRAM and env.get("SCTRACE_LOG") is None:
            self.asker.unchanged(case, self.native, done)
        for fault in self.house.trace_faults(trace):
            self.asker.fault(case, fault)
        sites = {image["program"]: None for image in self.house.info(trace)["images"]}
        sites.update(self.house.info(trace)["sites"])
        if self.sites is None:
            self.sites = sites
        elif argv[-len(PROGRAM):] == PROGRAM and sites != self.sites:
            self.asker.fault(case, f"sites {sites}, without a cache {self.sites}")
        return done

    def files(self):
        """name → (inode, bytes): a file that was not used is written anew, by another inode."""
        found = {}
        for name in sorted(os.listdir(self.folder)) if os.path.isdir(self.folder) else []:
            path = os.path.join(self.folder, name)
            if stat.S_ISREG(os.lstat(path).st_mode):
                with open(path, "rb") as file:
                    found[name] = (os.lstat(path).st_ino, file.read())
        return found

    def check_mended(self, case, good):
        now = self.files()
        if {name: data for name, (_, data) in now.items()} != {name: data for name, (_, data) in good.items()}:
            self.asker.fault(case, f"left {sorted(now)} behind, was {sorted(good)}")


def check_files(plans, good):
    """Whatever lies where a file of ours should: it is planned over."""
    largest = max(good, key=lambda name: len(good[name][1]))
    path, data = os.path.join(plans.folder, largest), good[largest][1]

    def replace(content, rights=0o600):
        if os.path.lexists(path):
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
        if content is not None:
            with open(path, "wb") as file:
                file.write(content)
            os.chmod(path, rights)

    for size in (0, 1, 7, 31, 32, 200, len(data) // 2, len(data) - 1):
        replace(data[:size])
        plans.run(f"torn at {size}")
        plans.check_mended(f"torn at {size}", good)
    for at in (0, 9, 33, 100, len(data) // 2, len(data) - 1):
        replace(data[:at] + bytes([data[at] ^ 4]) + data[at + 1:])
        plans.run(f"bit turned at {at}")
        plans.check_mended(f"bit turned at {at}", good)
    others = [data for name, (_, data) in good.items() if name != largest]
    for content in (others[0] if others else b"x" * 500, os.urandom(20000), b"\0" * (5 << 20)):
        replace(content)
        plans.run("another file")
        plans.check_mended("another file", good)
    replace(data, 0o666)
    plans.run("a file that all may write")
    if stat.S_IMODE(os.stat(path).st_mode) != 0o600:
        plans.asker.fault("a file that all may write", "was trusted")
    target = plans.house.path("target")
    shutil.copy(path, target)
    replace(None)
    os.symlink(target, path)
    plans.run("a link")
    if os.path.islink(path):
        plans.asker.fault("a link", "was followed")
    replace(None)
    os.mkfifo(path)
    plans.run("a pipe")
    replace(None)
    os.mkdir(path)
    plans.run("a folder")
    replace(None)
    if os.geteuid() == 0:
        replace(data)
        os.chown(path, 65534, 65534)
        plans.run("a file of somebody else")
        if os.stat(path).st_uid != os.geteuid():
            plans.asker.fault("a file of somebody else", "was trusted")


def check_folders(plans):
    house, asker, kept = plans.house, plans.asker, plans.folder
    theirs = house.fresh("theirs")
    os.chmod(theirs, 0o777)
    plans.folder = theirs
    plans.run("a folder that all may write")
    os.chmod(theirs, 0o700)
    plans.folder = house.path("link")
    os.symlink(theirs, plans.folder)
    plans.run("a link to a folder")
    if os.geteuid() == 0:
        os.chown(theirs, 65534, 65534)
        plans.folder = theirs
        plans.run("a folder of somebody else")
        plans.run("a home of somebody else", SCTRACE_CACHE="on", HOME=theirs)
        plans.run("a cache of somebody else", SCTRACE_CACHE="on", XDG_CACHE_HOME=theirs)
    if os.listdir(theirs):
        asker.fault("somebody else's folder", f"wrote into it: {os.listdir(theirs)}")
    plans.folder = house.path("file")
    open(plans.folder, "w").close()
    plans.run("a file for a folder")
    plans.folder = house.path("no", "such", "folder")
    plans.run("below nothing")
    plans.folder = "/" + "x" * 5000
    plans.run("a name too long", SCTRACE_CACHE="on", HOME=plans.folder)
    plans.folder = house.fresh("locked")
    os.chmod(plans.folder, 0o500)
    plans.run("a folder that may be read only")
    if os.geteuid() == 0:
        for case, mount in (("a read-only folder", "mount --bind {0} {0} && mount -o remount,ro,bind {0}"),
                            ("a full disk", "mount -t tmpfs -o size=4k,mode=700 none {0}")):
            plans.folder = house.fresh("mounted")
            left = f"ls -A {plans.folder} | grep ^[.] >&2"
            script = mount.format(plans.folder) + f'; "$@"; status=$?; {left}; exit $status'
            plans.run(case, wrapped=("unshare", "-m", "sh", "-c", "mount --make-rprivate /; " + script, "sh"))
    plans.folder = kept


def check_places(plans):
    """Where files appear, and where they don't."""
    house, asker = plans.house, plans.asker
    natively = house.run(DESCRIPTORS, house.environment(), plans.work).stdout
    for case, more, place in (
            ("home", {}, ("home", ".cache", "sctrace")),
            ("cache home", {"XDG_CACHE_HOME": house.path("xdg")}, ("xdg", "sctrace")),
            ("off", {"SCTRACE_CACHE": "off"}, None),
            ("no home", {"HOME": None}, None),
            ("a home nowhere", {"HOME": "home"}, None)):
        house.fresh("home"), house.fresh("xdg")
        more = {"SCTRACE_CACHE": "on", "HOME": house.path("home"), "XDG_CACHE_HOME": None, **more}
        plans.run(case, **more)
        open_ones = plans.run(case, DESCRIPTORS, **more).stdout
        if open_ones != natively:
            asker.fault(case, f"descriptors {open_ones}, natively {natively}")
        found = [folder for folder, _, names in os.walk(house.root) if names and "sctrace" == os.path.basename(folder)]
        wanted = [house.path(*place)] if place else []
        if found != wanted or os.path.exists(os.path.join(plans.work, "home")):
            asker.fault(case, f"plans in {found}, wanted {wanted}")
        for folder in found:
            rights = [stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode) for name in [".", *os.listdir(folder)]]
            if rights[0] != 0o700 or set(rights[1:]) != {0o600}:
                asker.fault(case, f"rights {[oct(r) for r in rights]}")


def check_twins(plans, good):
    """Another libc of the same build-id: as after strip, patchelf or an editor."""
    libc = next(line.split()[5] for line in open("/proc/self/maps") if "libc.so.6" in line)
    twin = os.path.join(plans.house.fresh("twin"), "libc.so.6")
    with open(libc, "rb") as file:
        data = file.read()
    with open(twin, "wb") as file:
        file.write(data.replace(b"GNU C Library", b"gnu c library"))
    os.chmod(twin, 0o755)
    done = plans.run("a twin", LD_LIBRARY_PATH=os.path.dirname(twin), SCTRACE_LOG="info")
    if done.stdout != plans.native.stdout or b"twin/libc.so.6: changed too lately" not in done.stderr:
        plans.asker.fault("a twin", f"said {done.stderr[:300]}")
    if plans.files() != good:
        plans.asker.fault("a twin", "touched the other one's plans")


def check_vdso(plans):
    """The kernel's own object is known by its bytes: changed, its plan is another one."""
    before = plans.files()
    for case in ("a changed vDSO", "a changed vDSO again"):
        plans.run(case, DESCRIPTORS, SCTRACE_VDSO="on")
        more = plans.files().keys() - before.keys()
        if len(more) != 1 or any(plans.files()[name] != kept for name, kept in before.items()):
            plans.asker.fault(case, f"new plans {sorted(more)}")
    plans.run("the vDSO as it was")
    os.unlink(os.path.join(plans.folder, more.pop()))


def check_altered(plans, build):
    """Text that was changed in memory: its plan is its own, and another process must not get it."""
    kept, plans.folder = plans.folder, plans.house.path("altered")
    audit = os.path.join(build, "tests/bad_input/alter.so")
    done = plans.run("altered", ["/bin/true"], LD_AUDIT=audit, SCTRACE_LOG="info")
    if b"libc.so.6: memory differs" not in done.stderr:
        plans.asker.fault("altered", f"said {done.stderr[:300]}")
    plans.folder = kept


def main(build):
    asker = Asker()
    with House(os.path.abspath(build)) as house:
        plans = Plans(house, asker)
        plans.run("no cache", SCTRACE_CACHE="off")
        said = plans.run("first", SCTRACE_LOG="info").stderr
        good = plans.files()
        if b"too lately" in said and not good:
            skip("the C library is newer than a minute, or on a file system that is not asked")
        if not good:
            asker.fault("first", f"nothing was kept: {said.decode()[:300]}")
            asker.done()
        plans.run("second")
        if plans.files() != good:
            asker.fault("second", "planned again")
        check_files(plans, good)
        plans.run("all good again")
        check_vdso(plans)
        check_twins(plans, plans.files())
        check_altered(plans, os.path.abspath(build))
        check_folders(plans)
        check_places(plans)
    asker.done()


main(*sys.argv[1:])

"""run.py BUILD CMAKE: installs into a folder that is then moved, and uses what is there: the command, the
library by its bare name, the man pages, and two projects that build on it."""
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from traced import need_programs  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD, CMAKE = os.path.abspath(sys.argv[1]), sys.argv[2]
faults = []


def check(sentence, truth, seen=""):
    if not truth:
        faults.append(sentence)
        print("FAILED:", sentence, str(seen)[:1500])


def run(*argv, status=0, cwd=None, **more):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("SCTRACE_", "LD_"))}
    done = subprocess.run(argv, capture_output=True, text=True, timeout=200, cwd=cwd, env={**env, **more})
    check(f"{os.path.basename(argv[0])} {' '.join(argv[1:3])} ends with {status}", done.returncode == status, done)
    return done.stdout


class Prefix:
    def __init__(self, root):
        self.root, self.path = root, os.path.join(root, "moved")
        run(CMAKE, "--install", BUILD, "--prefix", os.path.join(root, "prefix"))
        os.rename(os.path.join(root, "prefix"), self.path)  # nothing may remember where it was put
        self.command = self.find("bin/sctrace")
        self.library = self.find("libsctrace.so")
        self.libraries = os.path.dirname(self.library)

    def find(self, name):
        for folder, _, names in os.walk(self.path):
            for one in names:
                if os.path.join(folder, one).endswith("/" + name):
                    return os.path.join(folder, one)
        check(f"{name} is installed", False)
        return os.path.join(self.path, "no", name)


def records(prefix):
    trace = os.path.join(prefix.root, "trace")
    run(prefix.command, "record", "-q", "-o", trace, "--", "/bin/cat", "/etc/hostname")
    shown = run(prefix.command, "print", "-e", "trace=openat", trace)
    check("sctrace record finds the library beside it", 'openat(AT_FDCWD, "/etc/hostname", O_RDONLY)' in shown, shown)
    bare = os.path.join(prefix.root, "bare")
    run("/bin/true", LD_LIBRARY_PATH=prefix.libraries, LD_PRELOAD="libsctrace.so", SCTRACE_OUTPUT=bare)
    info = json.loads(run(prefix.command, "info", "--json", bare))
    check("the loader finds libsctrace.so by its bare name", info["calls"]["stub"] + info["calls"]["trap"] > 0, info)


def says_where_it_cannot(prefix):
    odd = os.path.join(prefix.root, "a blank")
    os.symlink(prefix.path, odd)
    done = subprocess.run([prefix.command, "record", "--", "/bin/true"], capture_output=True, text=True,
                          env={**os.environ, "SCTRACE_LIBRARY": os.path.join(odd, "lib", "libsctrace.so")})
    check("a path that LD_PRELOAD cannot name is refused", done.returncode == 1 and "a blank" in done.stderr, done)


def is_listed(prefix):
    """By ldconfig, in a cache of our own: then the loader needs no LD_LIBRARY_PATH either."""
    cache, conf = (os.path.join(prefix.root, name) for name in ("ld.so.cache", "ld.so.conf"))
    with open(conf, "w") as file:
        file.write(prefix.libraries + "\n")
    ldconfig = "/sbin/ldconfig"
    run(ldconfig, "-X", "-C", cache, "-f", conf)
    listed = run(ldconfig, "-p", "-C", cache)
    check("ldconfig lists it by its bare name", re.search(r"^\s+libsctrace\.so \(", listed, re.M), listed)


def bare_in_usr_local(prefix):
    """As root, where nobody else sees it: with the folders as they are on a machine, nothing else is needed."""
    if os.geteuid() != 0:
        return print("not shown, needs root: LD_PRELOAD=libsctrace.so after an install into /usr/local")
    etc, trace = os.path.join(prefix.root, "etc"), os.path.join(prefix.root, "usr-local")
    run("unshare", "-m", "sh", "-ec", f"""cp -a /etc {etc}; mount --bind {etc} /etc; mount -t tmpfs none /usr/local
        '{CMAKE}' --install '{BUILD}' --prefix /usr/local
        LD_PRELOAD=libsctrace.so SCTRACE_OUTPUT={trace} /bin/true
        /usr/local/bin/sctrace record -q -o {trace}-2 /bin/true""")
    for one in (trace, trace + "-2"):
        check("installed into /usr/local, it records", "exit_group" in run(prefix.command, "print", one))


def reads_pages(prefix):
    for name, says in (("sctrace.1", "VERBS"), ("sctrace-trace.5", "ring")):
        page = prefix.find(name)
        text = re.sub(".\b", "", run("mandoc", "-T", "utf8", page))
        check(f"{name} can be read", says in text and len(text) > 1000, text)


def engine_works(prefix, engine):
    trace = os.path.join(prefix.root, "answered")
    said = run(prefix.command, "record", "-q", "-o", trace, "--engine", engine, "--", sys.executable, "-c",
               "import os; print(os.getppid())")
    check(f"{engine} answers", said == "4242\n", said)


def consumers(prefix):
    source, cc = os.path.join(HERE, "consumer"), os.environ.get("CC", "cc")
    build = os.path.join(prefix.root, "by-cmake")
    run(CMAKE, "-S", source, "-B", build, "-DCMAKE_PREFIX_PATH=" + prefix.path)
    run(CMAKE, "--build", build)
    engine_works(prefix, os.path.join(build, "answer.so"))
    by_hand = os.path.join(prefix.root, "by-hand.so")
    flags = "$(pkg-config --cflags sctrace-engine)"
    run("sh", "-c", f'eval "{cc} -shared -fPIC -Wall -Werror -o {by_hand} {source}/answer.c {flags}"',
        PKG_CONFIG_PATH=os.path.join(prefix.libraries, "pkgconfig"))
    engine_works(prefix, by_hand)


need_programs(["mandoc", "pkg-config", "cc"])
with tempfile.TemporaryDirectory(prefix="sct-install-") as folder:
    installed = Prefix(folder)
    records(installed)
    says_where_it_cannot(installed)
    is_listed(installed)
    bare_in_usr_local(installed)
    reads_pages(installed)
    consumers(installed)
print(f"{len(faults)} failed" if faults else "all as expected")
sys.exit(bool(faults))

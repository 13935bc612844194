"""Runs `sctrace` as a user would and compares what it says and how it ends."""
import json
import os
import signal
import shutil
import subprocess
import sys
import tempfile

command, maker = map(os.path.abspath, sys.argv[1:3])
failures = []


def run(*arguments, **options):
    return subprocess.run([command, *arguments], capture_output=True, text=True, timeout=60, **options)


def check(sentence, truth, seen=""):
    if not truth:
        failures.append(sentence)
        print("FAILED:", sentence, seen)


def says(arguments, status, out="", err="", **options):
    ended = run(*arguments, **options)
    sentence = " ".join(arguments) + f" ends with {status} and says `{out or err}`"
    check(sentence, ended.returncode == status and out in ended.stdout and err in ended.stderr, ended)
    return ended.stdout


def usage():
    says(["--help"], 0, out="record")
    says(["--version"], 0, out="sctrace")
    says([], 2, err="usage")
    says(["nonsense"], 2, err="no verb `nonsense`")
    says(["summary", "--nonsense"], 2, err="sctrace summary")
    says(["record", "--help"], 0, out="usage: sctrace record [OPTION...] -- CMD [ARG...]")
    says(["--man", "check"], 0, out="\\-\\-repair")


def reading():
    summary = json.loads(says(["summary", "--json", "whole"], 0))
    calls = {one["name"]: one for one in summary["syscalls"]}
    check("summary counts calls", calls["read"]["calls"] == 1 and calls["read"]["bytes"] == 4, calls)
    check("summary counts errors", calls["close"]["errors"] == 1, calls)
    check("summary measures", calls["read"]["ns_total"] == calls["read"]["ns_p50"] == calls["read"]["ns_max"] == 1000)
    check("exit_group is unfinished", calls["exit_group"]["calls"] == 0 and calls["exit_group"]["unfinished"] == 1)
    says(["summary", "whole"], 0, out="p99/us")
    says(["summary", "-c", "-S", "calls", "whole"], 0, out="% time     seconds  usecs/call     calls    errors syscall")
    says(["summary", "lossy"], 0, err="5 calls lost")
    says(["summary", "whole"], 0, out="errors: 1 EBADF")
    says(["summary", "--by", "errno", "whole"], 0, out="EBADF")
    says(["summary", "--histogram", "whole"], 0, out="read: 1 call")
    says(["summary", "-c", "--by", "fd", "whole"], 2, err="a row for each syscall, not for each fd")
    says(["summary", "--interval", "1", "whole"], 2, err="`1` is no length of an interval")
    says(["summary", "--by", "colour", "whole"], 2, err="--by")
    info = json.loads(says(["info", "--json", "whole"], 0))
    check("info counts doors", info["calls"] == {"stub": 3, "trap": 1}, info)
    check("info counts sites by tactic", info["sites"]["mov"] == 1 and info["sites"]["trap"] == 1, info)
    check("info names refusals", info["refusals"] == {"undecodable": 1}, info)
    check("info tells sites by object", sum(sum(one["sites"].values()) for one in info["objects"]) == 2, info)
    check("info counts losses", json.loads(says(["info", "--json", "lossy"], 0))["lost"] == 5)
    says(["info", "whole"], 0, out="3 by stub, 1 by trap")
    says(["info", "nowhere"], 1, err="no such trace")
    says(["summary", "."], 1, err="holds no file `session`")
    shutil.copytree("whole", "newest/sctrace-x-1")
    says(["summary"], 0, err="reading sctrace-x-1", cwd="newest")


def comparing():
    says(["diff", "whole", "whole"], 0, out="total")
    says(["diff", "whole"], 2, err="B is required")
    says(["print", "-p"], 2, err="sctrace print: -p wants a value: TEXT")
    says(["record", "-o"], 2, err="sctrace record: -o wants a value: DIR")
    says(["print", "nowhere"], 1, err="sctrace: nowhere: no such trace")
    says(["diff", "whole", "nowhere"], 1, err="no such trace")
    says(["diff", "--fail-on", "errors>0", "whole", "whole"], 1, err="close: errors is 1 (errors>0)")
    says(["diff", "--fail-on", "p98>+10%", "whole", "whole"], 2, err="no column `p98`")
    says(["diff", "whole", "lossy"], 0, err="5 calls lost")
    says(["report", "whole"], 2, err="--output")
    says(["report", "-o", "page.html", "lossy"], 0, err="5 calls lost")
    with open("page.html") as page:
        check("the page says what is missing", "calls lost for want of room" in page.read())
    says(["report", "-o", "nowhere/page.html", "whole"], 1, err="nowhere/page.html")


def checking():
    says(["check", "whole"], 0, out="whole: 1 images, 4 calls")
    says(["check", "killed"], 0, out="killed while recording: 1 call unfinished")
    says(["check", "torn"], 1, out="7-0.ring: offset ")
    says(["check", "--repair", "torn"], 0, err="rewritten")
    says(["check", "torn"], 0, out="whole")
    check("repair leaves nothing behind", not os.path.exists("torn.repairing"))


def doctor(environment):
    says(["doctor", "sh"], 0, out="can be traced", env=environment)
    doors = json.loads(says(["doctor", "--json", "sh"], 0, env=environment))["objects"]
    libc = [one["sites"] for one in doors if "libc.so" in one["path"]]
    check("doctor predicts libc's doors", libc and libc[0].get("mov", 0) > 200 and not libc[0].get("trap"), doors)
    says(["doctor", "no-such-command"], 1, out="not found", env=environment)
    with open("script", "w") as script:
        script.write("#!/bin/sh\n")
    os.chmod("script", 0o755)
    says(["doctor", "./script"], 0, out="/bin/sh is what is traced", env=environment)
    with open("/bin/sh", "rb") as file:
        shell = bytearray(file.read())
    shell[18:20] = (183).to_bytes(2, "little")
    with open("foreign", "wb") as file:
        file.write(shell)
    os.chmod("foreign", 0o755)
    says(["doctor", "./foreign"], 1, out="made for AArch64", env=environment)
    static = bytearray(shell)
    static[18:20] = (62).to_bytes(2, "little")
    static[56:58] = (0).to_bytes(2, "little")
    with open("static", "wb") as file:
        file.write(static)
    os.chmod("static", 0o755)
    says(["doctor", "./static"], 1, out="static: LD_PRELOAD has no effect", env=environment)


def recording(environment):
    """With a library that is none: what `record` does around the program."""
    tell = "echo $SCTRACE_STRSIZE $SCTRACE_TRACE $SCTRACE_FOLLOW $SCTRACE_OUTPUT"
    out = says(["record", "-q", "-s", "99", "-e", "trace=%file", "--no-follow", "-o", "t", "--", "sh", "-c", tell], 0,
               env=environment)
    check("record sets the variables", out.split()[:3] == ["99", "%file", "none"], out)
    check("the output is absolute", out.split()[-1] == os.path.abspath("t"), out)
    out = says(["record", "-q", "sh", "-c", "echo $LD_PRELOAD"], 0, env={**environment, "LD_PRELOAD": ""})
    check("record sets LD_PRELOAD", out.strip() == environment["SCTRACE_LIBRARY"], out)
    says(["record", "-q", "--", "sh", "-c", "exit 41"], 41, env=environment)
    says(["record", "-q", "--", "sh", "-c", "kill -TERM $$"], -signal.SIGTERM, env=environment)
    says(["record", "--", "true"], 0, err="nothing was recorded", env=environment)
    says(["record", "--", "no-such-command"], 127, err="command not found", env=environment)
    says(["record", "--", "./whole/session"], 126, err="not executable", env=environment)
    says(["record"], 2, err="no command", env=environment)
    says(["record", "-e", "foo=bar", "true"], 2, err="only trace=, inject= and fault= are known", env=environment)


root = tempfile.mkdtemp(prefix="sct-cli-")
try:
    os.chdir(root)
    subprocess.run([maker, root], check=True)
    with open("libnone.so", "w"):
        pass
    with_library = {**os.environ, "SCTRACE_LIBRARY": root + "/libnone.so"}
    usage()
    reading()
    comparing()
    checking()
    doctor(with_library)
    recording(with_library)
finally:
    os.chdir("/")
    shutil.rmtree(root)
print(f"{len(failures)} failed" if failures else "all as expected")
sys.exit(bool(failures))

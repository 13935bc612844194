"""What Wireshark reads."""
import json
import os
import re
import sys

from harness import HERE, check, need_programs, said


def callers(views):
    """Where stacks were recorded, the comment's second line is who called, innermost first."""
    trace, file = views.house.path("stacks"), views.house.path("stacks.pcapng")
    environment = views.house.environment("auto", trace, SCTRACE_STACK="unwind", SCTRACE_TRACE="%network")
    ended = views.house.run([sys.executable, os.path.join(HERE, "guest.py")], environment, views.house.root)
    check("the guest ends well with stacks", ended.status == 0, ended)
    views.sctrace("export", "--to", "pcapng", "-o", file, trace)
    comments = said(["tshark", "-r", file, "-T", "json", "-e", "frame.comment"],
                    env={**os.environ, "HOME": views.house.root})
    found = [one["_source"]["layers"]["frame.comment"][0] for one in json.loads(comments)
             if "frame.comment" in one["_source"]["layers"]]
    told = [one for one in found if re.search(r"\nfrom (__)?\w*(send|recv)\w* < .* < (_start|clone3?)$", one)]
    check("comments say who called", found and len(told) > 0.8 * len(found), found[:3])


def pcapng(views):
    need_programs(["tshark", "capinfos"])
    file = views.export("pcapng")

    def tshark(*arguments):
        return said(["tshark", "-r", file, *arguments], env={**os.environ, "HOME": views.house.root})

    info = said(["capinfos", "-M", file])
    check("capinfos takes it", "pcapng" in info, info)
    requests = tshark("-Y", "http.request", "-T", "fields", "-e", "http.request.uri").split()
    check("each request is dissected once", sorted(requests) == [f"/page{n}" for n in range(5)], requests)
    answers = tshark("-Y", "http.response", "-T", "fields", "-e", "http.response.code", "-e", "http.time").split("\n")
    check("each answer has its time", len([one for one in answers if re.match(r"200\t\d", one)]) == 5, answers)
    check("a stream is followed", "hello hello" in tshark("-q", "-z", "follow,tcp,ascii,0"))
    bad = tshark("-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE",
                 "-Y", "tcp.checksum.status==0 || ip.checksum.status==0 || udp.checksum.status==0 || "
                 "tcp.analysis.flags || _ws.malformed")
    check("no packet is wrong", not bad.strip(), bad)
    comments = tshark("-T", "fields", "-e", "frame.comment", "-Y", "http.request")
    # Both ends are in the trace: the bytes are shown with the call that came back first.
    called = re.findall(r"\b(?:send|recv)(?:to|from|msg)?\(\d+, \"GET /page\d", comments)
    check("the comment is the call", len(called) == 5, comments)
    check("a datagram is there", "datagram" in tshark("-Y", "udp", "-T", "fields", "-e", "udp.payload").strip() or
          b"datagram".hex() in tshark("-Y", "udp", "-T", "fields", "-e", "udp.payload"))
    carried = tshark("-T", "fields", "-e", "data.data").replace(":", "")
    check("a pair of local sockets is there", "78" * 100 in carried)
    callers(views)
    check("interfaces are processes", "python" in info or "python" in said(["capinfos", file]))

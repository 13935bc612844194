"""What Wireshark reads."""
import os
import re

from harness import check, said
from traced import need_programs


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
    called = re.search(r"sendto\(|write\(|send", comments)
    check("the comment is the call", called and "GET /page" in comments, comments)
    check("a datagram is there", "datagram" in tshark("-Y", "udp", "-T", "fields", "-e", "udp.payload").strip() or
          b"datagram".hex() in tshark("-Y", "udp", "-T", "fields", "-e", "udp.payload"))
    carried = tshark("-T", "fields", "-e", "data.data").replace(":", "")
    check("a pair of local sockets is there", "78" * 100 in carried)
    check("interfaces are processes", "python" in info or "python" in said(["capinfos", file]))

"""A running `sctrace serve`, and a client that may be as rude as it likes: what the tests of it share."""
import http.client
import json
import os
import re
import signal
import socket
import subprocess

from guest import PATIENCE


class Server:
    def __init__(self, house, *arguments):
        self.child = subprocess.Popen([house.command, "serve", *arguments], cwd=house.root, text=True,
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.line = self.child.stdout.readline()
        match = re.search(r"at http://(\S+):(\d+)/(?:\?token=(\S+))?$", self.line.strip())
        if not match:
            raise AssertionError(f"no address: {self.line!r} {self.child.stderr.read()!r}")
        self.address, self.port, self.token = match[1], int(match[2]), match[3]

    def get(self, path, method="GET", body=None, **headers):
        """(status, headers, body); the Host is 127.0.0.1 where no other is said."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        client.putrequest(method, path, skip_host="Host" in headers)
        for name, value in headers.items():
            client.putheader(name, value)
        if body is not None:
            client.putheader("Content-Length", str(len(body)))
        client.endheaders(body)
        answer = client.getresponse()
        text = answer.read().decode()
        client.close()
        return answer.status, dict(answer.headers), text

    def json(self, path):
        status, headers, text = self.get(path)
        if status != 200 or headers["Content-Type"] != "application/json":
            raise AssertionError(f"{path}: {status} {headers} {text[:300]}")
        return json.loads(text)

    def raw(self, data):
        """What comes back for these bytes."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as wire:
            wire.sendall(data)
            wire.shutdown(socket.SHUT_WR)
            answer = b""
            try:
                while more := wire.recv(65536):
                    answer += more
            except ConnectionResetError:  # it had enough, and so have we
                pass
        return answer

    def end(self, number=signal.SIGTERM):
        self.child.send_signal(number)
        out, err = self.child.communicate(timeout=PATIENCE)
        return self.child.returncode, out, err


def refused(house, *arguments):
    done = house.sctrace("serve", *arguments)
    return done.returncode, done.stderr.decode()


def browser_here():
    import sys
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "views"))
    from browser import Browser
    return Browser()

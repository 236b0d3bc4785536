"""nng's wire by hand, for what no client of ours would send. See docs/protocol.md.

    wire.py SOCKET tally NOTE [CSR]    a tally, PKCS#10 in PEM; prints "done …" or "fault KIND RULE TEXT"
    wire.py SOCKET tallies NOTE…       each, and its name before the answer
    wire.py SOCKET body                a frame's body from standard input; prints the answer's body
    wire.py SOCKET stream              bytes from standard input straight into the stream; prints how it ended
"""

import base64
import os
import re
import socket
import struct
import sys


class Wire:
    def __init__(self, path, timeout=20):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.settimeout(timeout)
        self.s.connect(path)
        self.id = 0x80000000 | int.from_bytes(os.urandom(3), "big")

    def greet(self):
        self.s.sendall(b"\0SP\0\0\x30\0\0")
        greeting = self._take(8)
        assert greeting == b"\0SP\0\0\x31\0\0", greeting

    def _take(self, n):
        got = b""
        while len(got) < n:
            part = self.s.recv(n - len(got))
            if not part:
                raise EOFError("hung up")
            got += part
        return got

    def send(self, body):
        self.id += 1
        self.s.sendall(struct.pack(">BQI", 1, len(body) + 4, self.id) + body)

    def receive(self):
        kind, n = struct.unpack(">BQ", self._take(9))
        assert kind == 1 and n >= 4, (kind, n)
        answer = self._take(n)
        assert struct.unpack(">I", answer[:4])[0] == self.id
        return answer[4:]

    def ask(self, body):
        self.send(body)
        return self.receive()


def open_wire(path):
    w = Wire(path)
    w.greet()
    return w


def field(b):
    return struct.pack(">I", len(b)) + b


def tally(note, csr=b""):
    return b"\x01\x01" + field(note) + field(csr)


def say(answer):
    """A message of the signer, in one line."""
    if answer[:2] == b"\x01\x41":
        texts, at = [], 2
        for _ in range(4):
            n = struct.unpack(">I", answer[at : at + 4])[0]
            texts.append(answer[at + 4 : at + 4 + n].decode())
            at += 4 + n
        return "fault %s %s %s: %s" % (texts[0], texts[1], texts[2], texts[3])
    if answer[:2] == b"\x01\x40":
        n = struct.unpack(">I", answer[2:6])[0]
        index, intent, again, _issuer = struct.unpack(">QQB20s", answer[6 + n :])
        return "done certificate=%d entry=%d again=%d" % (n, index, again)
    return "type %d, %d bytes" % (answer[1], len(answer))


def der_of(pem):
    inner = re.search(rb"-----BEGIN [^-]+-----(.*?)-----END", pem, re.S)
    return base64.b64decode(inner.group(1)) if inner else pem


def main():
    path, what, files = sys.argv[1], sys.argv[2], [open(p, "rb").read() for p in sys.argv[3:]]
    if what == "stream":
        w = Wire(path)
        w.s.sendall(sys.stdin.buffer.read())
        w.s.shutdown(socket.SHUT_WR)
        try:
            while w.s.recv(65536):
                pass
            print("hung up")
        except ConnectionResetError:
            print("hung up")
        return
    w = open_wire(path)
    if what == "tally":
        print(say(w.ask(tally(files[0], der_of(files[1]) if len(files) > 1 else b""))))
    elif what == "tallies":
        for name, note in zip(sys.argv[3:], files):
            print(os.path.basename(name), say(w.ask(tally(note))))
    else:
        sys.stdout.buffer.write(w.ask(sys.stdin.buffer.read()))


if __name__ == "__main__":
    main()

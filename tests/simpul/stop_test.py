#!/usr/bin/env python3
"""A stop ends, whoever holds on: callers that say nothing, that watch, that take nothing of what they asked for."""
import pathlib
import socket
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
from tests.support.simpul import PATIENCE_S, Folder, Serve, run  # noqa: E402

DATA, HEADERS, SETTINGS = 0, 1, 4
NIK = b"7324024105200001"


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def field(name, value):
    """A literal header field (HPACK), no name or value longer than 126 bytes."""
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


class Caller:
    """One connection to the gRPC port that speaks HTTP/2 by hand."""

    def __init__(self, address, greets=True, window=None):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=PATIENCE_S)
        self.read = b""
        if greets:
            settings = b"" if window is None else struct.pack(">HI", 4, window)
            self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, settings))
            self.wait_for(SETTINGS)

    def wait_for(self, kind):
        """Reads until a frame of this kind has come."""
        while True:
            while len(self.read) >= 9:
                length = int.from_bytes(self.read[:3], "big")
                if len(self.read) < 9 + length:
                    break
                found, self.read = self.read[3], self.read[9 + length:]
                if found == kind:
                    return
            more = self.socket.recv(65536)
            assert more, "the server hung up"
            self.read += more

    def watch(self):
        """Calls WatchTimeline of a patient."""
        patient = bytes([0x0A, len(NIK) + 2, 0x0A, len(NIK)]) + NIK
        request = bytes([0x0A, len(patient)]) + patient
        headers = b"".join(field(*pair) for pair in (
            (b":method", b"POST"), (b":scheme", b"http"), (b":authority", b"test"),
            (b":path", b"/simpul.timeline.v1.TimelineService/WatchTimeline"), (b"te", b"trailers"),
            (b"content-type", b"application/grpc")))
        message = b"\0" + struct.pack(">I", len(request)) + request
        self.socket.sendall(frame(HEADERS, 4, 1, headers) + frame(DATA, 1, 1, message))

    def hung_up(self):
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionError:
            pass
        return True


def stop(callers, *flags):
    """Stops a `serve` to which these callers hold on; its output."""
    with Folder() as folder, Serve(folder / "data", *flags) as serve:
        held = [caller(serve.grpc) for caller in callers]
        assert serve.stop() == 0, serve.output()[-2000:]
        for caller in held:
            assert caller.hung_up()


def silent(address):
    return Caller(address, greets=False)


def idle(address):
    return Caller(address)


def watching(address):
    caller = Caller(address)
    caller.watch()
    caller.wait_for(DATA)  # caught up
    return caller


def taking_nothing(address):
    caller = Caller(address, window=0)
    caller.watch()
    caller.wait_for(HEADERS)
    return caller


def main():
    stop([silent, idle, watching])
    # Calls in hand have half of the limit.
    stop([taking_nothing], "--stop-limit", "16s")
    with Folder() as folder:
        wrong = run("serve", "--data", folder / "data", "--stop-limit", "soon", check=False)
        assert wrong.returncode == 2 and "--stop-limit" in wrong.stderr, wrong


if __name__ == "__main__":
    main()

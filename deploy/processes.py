"""What deploy/kafka and deploy/cluster share: programs that go on without them, each with its pid in a file."""
import os
import pathlib
import signal
import socket
import subprocess
import time

STOP_S = 30


def free_ports(count):
    """Ports of 127.0.0.1 that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def start(words, pid_file, output):
    """Starts a program; what it prints goes behind what `output` holds."""
    with open(output, "ab") as to:
        process = subprocess.Popen([*map(str, words)], stdin=subprocess.DEVNULL, stdout=to, stderr=to, start_new_session=True)
    # Until its memory is set up a program has no arguments, and would not be known by them.
    while process.poll() is None and not pathlib.Path(f"/proc/{process.pid}/cmdline").read_bytes():
        time.sleep(0.01)
    pid_file.write_text(str(process.pid))
    return process


def pid_of(pid_file, word):
    """The process of that file if it runs, else None. A pid may since be another's: `word` is among this one's arguments."""
    try:
        pid = int(pid_file.read_text())
        words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    return pid if os.fsencode(word) in words else None


def stop(programs, kill=False):
    """Ends those that run of (pid file, word), and waits for them; after STOP_S as `kill` does, as a power cut would."""
    running = [program for program in programs if pid_of(*program) is not None]
    for program in running:
        pid = pid_of(*program)
        os.kill(pid, signal.SIGKILL if kill else signal.SIGTERM)
        os.kill(pid, signal.SIGCONT)  # one that is frozen would not hear it
    until = time.monotonic() + STOP_S
    for program in running:
        while (pid := pid_of(*program)) is not None:
            if time.monotonic() > until:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        program[0].unlink(missing_ok=True)

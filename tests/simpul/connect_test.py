#!/usr/bin/env python3
"""A command reaches its Simpul although the first connection seems to fail: gRPC 1.51 reads connect's errno late, when other
calls may have changed it. The shim below does that to it."""
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
from tests.support.simpul import BINARY, Folder, Serve  # noqa: E402

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>
int connect(int fd, const struct sockaddr* address, socklen_t size) {
  static int passes;
  int (*real)(int, const struct sockaddr*, socklen_t) = dlsym(RTLD_NEXT, "connect");
  const int result = real(fd, address, size);
  const int is_internet = address->sa_family == AF_INET || address->sa_family == AF_INET6;
  if (is_internet && result < 0 && __sync_fetch_and_add(&passes, 1) == 0) errno = ENOENT;
  return result;
}
"""


def main():
    with Folder() as folder:
        (folder / "shim.c").write_text(SHIM)
        shim = folder / "shim.so"
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", shim, folder / "shim.c", "-ldl"], check=True)
        with Serve(folder / "data") as serve:
            for command in ("state", "dead-letters"):
                asked = subprocess.run([BINARY, command, "--to", serve.grpc], env={**os.environ, "LD_PRELOAD": str(shim)},
                                       capture_output=True, text=True)
                assert asked.returncode == 0, asked.stderr


if __name__ == "__main__":
    main()

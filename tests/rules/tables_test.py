#!/usr/bin/env python3
"""The committed tables of the growth standards are, byte for byte, what their generator makes of the published packages."""
import pathlib
import subprocess
import sys
import tempfile

TABLES = pathlib.Path(__file__).resolve().parents[2] / "services/lib/rules/tables"


def main():
    with tempfile.TemporaryDirectory(prefix="simpul-test-") as folder:
        made = pathlib.Path(folder) / "who_growth.cc"
        subprocess.run([sys.executable, TABLES / "generate.py", "--to", made], check=True)
        assert made.read_bytes() == (TABLES / "who_growth.cc").read_bytes(), \
            "generate.py makes other tables than are committed: run services/lib/rules/tables/generate.py and look at the difference"
    print("the same bytes")


if __name__ == "__main__":
    main()

"""make peers: installs the servers that nobody here wrote, runs the contract on each and prints the table."""

import os
import sys

import pytest

from tests.peers import install

if __name__ == "__main__":
    got = install.main([])
    os.environ["PREVISIT_REQUIRE_ALL"] = "1"
    sys.exit(pytest.main(["-q", "-rs", "--durations=6", "--durations-min=5", "tests/peers", *sys.argv[1:]]) or got)

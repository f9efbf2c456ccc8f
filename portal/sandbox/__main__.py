"""`python -m portal.sandbox`: the synthetic clinic by itself."""

import sys

from portal.sandbox.server import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

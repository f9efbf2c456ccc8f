"""`python -m portal.assets`: make static/vendor/ in the current folder."""

import sys
from pathlib import Path

from portal.assets import AssetsError, build


def main() -> int:
    try:
        made = build(Path.cwd())
    except AssetsError as error:
        print(error, file=sys.stderr)
        return 1
    print("Style sheet and script are made." if made else "Style sheet and script are up to date.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Runs the benchmarks that are named, or all of them."""

from __future__ import annotations

import importlib
import logging
import sys

from tests.bench.figures import TOLD

NAMES = ("engine", "general", "population", "memory", "pages", "phone", "consent")
LONG = ("load", "grown")
"""Only when they are named: minutes, and half an hour."""


def main() -> None:
    wanted = sys.argv[1:] or NAMES
    unknown = set(wanted) - {*NAMES, *LONG}
    if unknown:
        raise SystemExit(f"There is no benchmark {', '.join(sorted(unknown))}: {' '.join(NAMES + LONG)}")
    logging.disable(logging.CRITICAL)
    for name in wanted:
        importlib.import_module(f"tests.bench.{name}").run()
    missed = [what for what, met in TOLD if not met]
    print(f"\n{len(TOLD) - len(missed)} of {len(TOLD)} goals met" + "".join(f"\n  not met: {what}" for what in missed))
    raise SystemExit(bool(missed))


if __name__ == "__main__":
    main()

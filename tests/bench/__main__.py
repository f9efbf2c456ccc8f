"""Runs the benchmarks that are named, or all of them."""

from __future__ import annotations

import importlib
import logging
import sys

NAMES = ("engine", "general", "population", "memory", "pages", "phone", "consent")


def main() -> None:
    wanted = sys.argv[1:] or NAMES
    unknown = set(wanted) - set(NAMES)
    if unknown:
        raise SystemExit(f"There is no benchmark {', '.join(sorted(unknown))}: {' '.join(NAMES)}")
    logging.disable(logging.CRITICAL)
    for name in wanted:
        importlib.import_module(f"tests.bench.{name}").run()


if __name__ == "__main__":
    main()

"""Benchmarks, as ratios in one run: `python -m tests.bench [engine population general pages phone memory …]`, all without a name."""

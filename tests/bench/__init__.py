"""Benchmarks, which are run and not asserted on time: `python -m tests.bench`."""

"""Benchmarks: ours beside a peer, in turns, on one machine; each prints a table and a ratio, none asserts a time."""

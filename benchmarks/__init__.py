"""Benchmarks of tfflows against other normalizing-flow libraries."""

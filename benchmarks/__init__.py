"""Timings of tfflows beside other libraries of normalizing flows."""

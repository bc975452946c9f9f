"""Densities that flows are compared with, estimated from all rows at once."""

"""Families of flows of vectors."""

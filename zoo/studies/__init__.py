"""Comparisons, each made by one command."""

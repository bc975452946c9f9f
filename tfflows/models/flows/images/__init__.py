"""Families of flows of images."""

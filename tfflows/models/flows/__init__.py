"""Normalizing flows as Keras models."""

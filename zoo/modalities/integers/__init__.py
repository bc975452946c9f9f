"""Vectors of integers: columns of whole numbers in tables, draws from toys on a grid."""

from __future__ import annotations

from zoo.modalities import base
from zoo.modalities.vectors import Vectors

_INITIAL_ROWS = 2**14


class Integers(base.InBits, Vectors):
    """Vectors of integers, which are modelled exactly."""

    sources = ("toy", "table")

    # Data.

    def load(self, config, trained):
        """As `Modality.load`; a toy has a grid of `model.args.levels` cells in each dimension."""
        from zoo.modalities.integers import load

        return load.toy(config) if config.data.source == "toy" else load.table(config, trained)

    # Training.

    def announcements(self, config, data):
        """None."""
        return []

    def set_up(self, model, config, data):
        """Sets the least integer of each column."""
        model.set_least(data.facts["least"])

    def initialize(self, model, data):
        """Starts from more rows than `fit` would use."""
        model.initialize(data.train[:_INITIAL_ROWS])

    def facts(self, config, data):
        """None besides those of the data."""
        return {}

    # Pictures.

    def progress(self, model, data):
        """Draws the probabilities of a model of two dimensions."""
        from zoo.modalities.integers import pictures

        if not pictures.can_draw(model):
            return None
        return lambda path, step: pictures.draw(
            model, data.validation, path, f"{model.name}, step {step}"
        )

    def pictures(self, model, data, folder):
        """Draws data, samples and probabilities of a model of two dimensions."""
        from zoo.modalities.integers import pictures

        if not pictures.can_draw(model):
            return []
        return [pictures.draw(model, data.validation, folder / "overview.png", model.name)]

    # Test figures.

    def test_figures(self, model, data, x, log_q):
        """Bits per dimension, and the divergence from a toy's own probabilities."""
        result = super().test_figures(model, data, x, log_q)
        if data.exact is not None:
            result |= base.mean("kl_divergence", data.exact.log_prob(x) - log_q)
            result["entropy"] = data.exact.entropy
        return result


MODALITY = Integers()

"""Vectors of integers: columns of whole numbers, toys on a grid, sets, and windows of text."""

from __future__ import annotations

import math

from zoo.modalities import base
from zoo.modalities.vectors import Vectors

_INITIAL_ROWS = 2**14
_DRAWS = 10_000  # of a test, from a model of a toy


class Integers(base.InBits, Vectors):
    """Vectors of integers, which are modelled exactly."""

    sources = ("toy", "table", "text")
    file_sources = ("table", "text")

    # Data.

    def event_shape(self, config):
        """As `Modality.event_shape`."""
        if config.data.source == "text":
            return (config.data.length,) if config.data.length > 0 else None
        if config.data.source != "toy":
            return None
        from tfflows.data import sets

        if config.data.name in sets.names():
            return (sets.get(config.data.name).dim,)
        return super().event_shape(config)

    def load(self, config, trained):
        """As `Modality.load`; a toy has a grid of `model.args.levels` cells in each dimension."""
        from zoo.modalities.integers import load

        if config.data.source == "toy":
            return load.toy(config)
        return (load.table if config.data.source == "table" else load.text)(config, trained)

    # Training.

    def announcements(self, config, data):
        """None."""
        return []

    def settle(self, config, data):
        """Sets the number of categories of text to that of its characters."""
        if config.data.source != "text":
            return config
        config = config.copy_and_resolve_references()
        config.model.args.levels = len(data.facts["alphabet"])
        return config

    def set_up(self, model, config, data):
        """Sets the least integer of each column."""
        model.set_least(data.facts["least"])

    def initialize(self, model, data):
        """Starts from more rows than `fit` would use, from all of the data."""
        model.initialize(data.train[:: -(-len(data.train) // _INITIAL_ROWS)])

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
        """Draws data and samples of sets, or also probabilities of a model of two dimensions."""
        from tfflows.data import sets
        from zoo.modalities.integers import pictures

        if pictures.can_draw(model):
            draw = pictures.draw
        elif data.exact is not None and data.exact.name in sets.names():
            draw = pictures.draw_pairs
        else:
            return []
        return [draw(model, data.validation, folder / "overview.png", model.name)]

    # Test figures.

    def test_figures(self, model, data, x, log_q, shared):
        """Bits per dimension; of a toy, the divergence from it; of sets, how many draws are any."""
        result = super().test_figures(model, data, x, log_q, shared)
        if data.exact is None:
            return result
        import numpy as np

        from tfflows import batches
        from tfflows.data import sets

        result |= base.mean("kl_divergence", data.exact.log_prob(x) - log_q, shared)
        result["entropy"] = data.exact.entropy
        result["entropy_bits_per_dim"] = data.exact.entropy / (data.dim * math.log(2.0))
        if data.exact.name in sets.names():
            draws = np.asarray(batches.sample(model, _DRAWS, 0))
            possible = np.isfinite(data.exact.log_prob(draws))
            result |= {"draws": _DRAWS, "possible": float(possible.mean())}
        return result

    def describe(self, result):
        """As `Modality.describe`."""
        lines = super().describe(result)
        if "entropy_bits_per_dim" in result:
            lines.append(f"entropy of the data: {result['entropy_bits_per_dim']:.4f} bits/dim")
        if "possible" in result:
            share = f"{100 * result['possible']:.1f} % of {result['draws']} draws"
            lines.append(f"{share} are sets that the data may hold")
        return lines

    # Samples.

    def check_output(self, model, path):
        """As `Modality.check_output`; text may also go to a .txt file."""
        from zoo import outputs

        if not path.lower().endswith(".txt"):
            return super().check_output(model, path)
        return outputs.check_output(path)

    def sample(self, model, values, facts, load):
        """Draws from the model, 1,000 by default; those of text may become a .txt file."""
        from zoo.modalities.integers import lines

        found = super().sample(model, values, facts, load)
        return lines.Lines(found, facts["alphabet"]) if "alphabet" in facts else found


MODALITY = Integers()

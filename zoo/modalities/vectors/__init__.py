"""Vectors of numbers: rows of tables, draws from toy densities, unnormalised targets."""

from __future__ import annotations

from ml_collections import ConfigDict

from zoo.modalities import base

_INITIAL_ROWS = 2**16
_PATIENCE = 8  # validations without a better one before training on a table stops


class Vectors(base.Modality):
    """Vectors of numbers."""

    sources = ("toy", "target", "table", "tfds")
    file_sources = ("table",)
    loss_texts = {"nats_standardized": "{:.4f} of standardised rows"}

    # Data.

    def event_shape(self, config):
        """As `Modality.event_shape`."""
        if config.data.source == "target":
            return (2,)
        if config.data.source != "toy":
            return None
        from tfflows.data import toy

        return (toy.get(config.data.name).dim,)

    def shape_to_build(self, name, known, arguments):
        """As `Modality.shape_to_build`; the argument is `dim`."""
        dim = arguments.pop("dim", None)
        if dim is None and known is None:
            raise ValueError(f"dim: {name} is for your own table; give the number of columns")
        return known if dim is None else (dim,)

    def load(self, config, trained):
        """As `Modality.load`; columns of a table are matched by their names on the card."""
        from zoo.modalities.vectors import tables, toys

        if config.data.source == "toy":
            return toys.load_toy(config)
        if config.data.source == "target":
            return toys.load_target(config)
        if config.data.source == "table":
            return tables.load_file(config, trained)
        return tables.load_tfds(config, trained)

    # Training.

    def patience(self, config):
        """As `Modality.patience`; limited for tables, because a flow overfits a small table."""
        of_table = config.data.source in ("table", "tfds")
        return _PATIENCE * config.train.eval_every if of_table else 0

    def announcements(self, config, data):
        """The columns that repeat their values and get noise."""
        if not _dequantizes(config, data):
            return []
        phrases = data.cells.describe(data.facts["columns"])
        return [
            f"{len(phrases)} of {data.dim} columns have repeated values and get noise of one "
            "step; there, log-likelihoods measure the probability of a step, not a density "
            "(--config.model.args.dequantize=False turns this off):",
            *(f"  {phrase}" for phrase in phrases),
        ]

    def set_up(self, model, config, data):
        """Sets mean and deviation of the training rows, and the cells of repeated values."""
        if data.mean is not None and config.model.args.get("standardize", False):
            model.set_standardization(data.mean, data.std)
        if _dequantizes(config, data):
            model.set_cells(data.cells.step, data.cells.origin, data.cells.grid)

    def initialize(self, model, data):
        """Initialises from more rows of a table than `fit` would use, as quantiles need many."""
        if data.mean is not None:
            model.initialize(data.train[:_INITIAL_ROWS])

    def facts(self, config, data):
        """For each column with cells: their width, and whether all values lie on a grid."""
        if not _dequantizes(config, data):
            return {}
        cells, columns = data.cells, data.facts["columns"]
        return {
            "cells": {
                name: {"step": float(step), "grid": bool(grid)}
                for name, step, grid in zip(columns, cells.step, cells.grid, strict=True)
                if step > 0
            }
        }

    def loss_figures(self, model, data):
        """Nats of standardised rows."""
        from tfflows import training

        shift = model.standardization_log_det if data.mean is not None else 0.0
        if not shift:
            return []
        ((name, text),) = self.loss_texts.items()
        return [training.Figure(name, text, lambda loss: loss - shift)]

    # Pictures.

    def progress(self, model, data):
        """Draws the density of a model of one or two dimensions."""
        from zoo.modalities.vectors import pictures

        return pictures.progress(model, data)

    def pictures(self, model, data, folder):
        """Draws a model of one or two dimensions."""
        from zoo.modalities.vectors import pictures

        return pictures.draw(model, data, folder)

    def gallery(self, model, config, folder):
        """The pictures of a model of a toy or target."""
        return self.pictures(model, self.load(config, {}), folder)

    # Test figures.

    def test(self, model, data, rows=None):
        """As `Modality.test`; for a target, the divergence of the model's own draws from it."""
        if data.target is None:
            return super().test(model, data, rows)
        import numpy as np

        from tfflows import batches

        numbers = data.test()[:rows]
        x, log_q = batches.sample_and_log_prob(model, len(numbers), 0, int(numbers[0]))
        log_p = np.asarray(data.target(x)) - data.target.log_normalizer
        return base.mean("kl_divergence", log_q - log_p)

    def test_figures(self, model, data, x, log_q, shared):
        """Standardised log-likelihood, divergence from a toy, and values that lie off a grid."""
        result = {}
        if model.cells is not None:
            result["samples"] = model.samples
            columns, off = data.facts["columns"], model.off_grid(x).sum(axis=0)
            result["off_grid"] = {n: int(k) for n, k in zip(columns, off, strict=True) if k}
        shift = model.standardization_log_det
        if shift:
            result |= base.mean("log_likelihood_standardized", log_q + shift, shared)
        if data.exact is not None:
            result |= base.mean("kl_divergence", data.exact.log_prob(x) - log_q, shared)
            result["entropy"] = data.exact.entropy
        return result

    def describe(self, result):
        """As `Modality.describe`."""
        if "log_likelihood" not in result:
            title = "mean of log q - log p_target over the model's draws"
            return [base.described(title, result, "kl_divergence")]
        title = "mean test log-likelihood"
        bound = f" ({base.bound(result['samples'])})" if result.get("samples") else ""
        lines = [base.described(title + bound, result, "log_likelihood")]
        for name, text in {
            "log_likelihood_standardized": f"{title} of standardised rows",
            "kl_divergence": "mean of log p_true - log q",
        }.items():
            if name in result:
                lines.append(base.described(text, result, name))
        if "entropy" in result:
            lines.append(f"best possible log-likelihood: {-result['entropy']:.4f} nats")
        for name, count in result.get("off_grid", {}).items():
            lines.append(
                f"note: {count} values of {name!r} lie off its grid and are scored as the "
                "nearest grid value"
            )
        return lines

    # Samples.

    def check_output(self, model, path):
        """As `Modality.check_output`."""
        from zoo.modalities.vectors import rows

        rows.check_path(path, model.event_shape[0])

    def sample(self, model, values, facts, load):
        """Draws from the model; 1,000 by default."""
        from tfflows import batches
        from zoo.modalities.vectors import rows

        n = 1000 if values.n is None else values.n
        x = batches.sample(model, n, values.seed, values.start, values.temperature)
        return rows.Rows(x, model.columns or facts.get("columns"), model, values.seed)


def _dequantizes(config: ConfigDict, data) -> bool:
    """Whether the model gives columns noise because their values repeat."""
    asked = config.model.args.get("dequantize", False)
    return asked and data.cells is not None and data.cells.any


MODALITY = Vectors()

"""Flows whose Jacobian has no structure: residual flow and FFJORD."""

from __future__ import annotations

import keras

from tfflows import bijectors as tb
from tfflows.models.flows.family import context_shape_of
from tfflows.models.flows.vectors.family import Family
from tfflows.models.flows.vectors.stacks import stack
from tfflows.networks import ConcatSquashMLP, LipschitzMLP


@keras.saving.register_keras_serializable("tfflows")
class ResidualFlow(Family):
    """Residual maps `y + g(y)` with contractions `g`.

    Trained on an unbiased estimate of the log-determinant; evaluated exactly up to 64 dimensions.

    Args:
      layers: number of residual maps.
      hidden_units: hidden layers of each contraction.
      coefficient: bound on the spectral norm of each layer of a contraction.
      actnorm: an ActNorm before each map.
      linear: what mixes dimensions before each map: none, reverse, permute or lu.
      **kwargs: those of `Family`.

    References: Behrmann et al., Invertible Residual Networks, 2019,
    https://arxiv.org/abs/1811.00995; Chen et al., Residual Flows for Invertible Generative
    Modeling, 2019, https://arxiv.org/abs/1906.02735
    """

    @staticmethod
    def layers_of(
        dim,
        context_dim,
        seed,
        layers=10,
        hidden_units=(64, 64),
        coefficient=0.97,
        actnorm=True,
        linear="none",
    ):
        """See `Family`."""

        def layer(index):
            return tb.Residual(
                dim,
                lambda n: LipschitzMLP(n, hidden_units, coefficient, seed * 1000 + index),
                context_shape_of(context_dim),
                name=f"residual_{index}",
            )

        return stack(dim, layers, linear, actnorm, seed, layer)


@keras.saving.register_keras_serializable("tfflows")
class FFJORD(Family):
    """Continuous flow along a free-form vector field.

    Trained on Hutchinson's unbiased estimate of the trace; evaluated with the exact one.

    Args:
      layers: number of vector fields, one after another.
      hidden_units: hidden layers of each vector field.
      activation: activation of the vector fields, tanh or softplus.
      rtol, atol: tolerances of the solver.
      training_tolerance: value of both tolerances during training.
      kinetic: weight of the kinetic energy in the training loss.
      jacobian: weight of the squared norm of the Jacobian in the training loss.
      **kwargs: those of `Family`.

    References: Grathwohl et al., 2018, https://arxiv.org/abs/1810.01367; Finlay et al., 2020,
    https://arxiv.org/abs/2002.02798 (the two penalties)
    """

    @staticmethod
    def layers_of(
        dim,
        context_dim,
        seed,
        layers=1,
        hidden_units=(64, 64, 64),
        activation="tanh",
        rtol=1e-5,
        atol=1e-5,
        training_tolerance=1e-3,
        kinetic=0.0,
        jacobian=0.0,
    ):
        """See `Family`."""

        def layer(index):
            return tb.ContinuousFlow(
                dim,
                lambda n: ConcatSquashMLP(n, hidden_units, activation, seed * 1000 + index),
                context_shape_of(context_dim),
                rtol=rtol,
                atol=atol,
                training_tolerance=training_tolerance,
                kinetic=kinetic,
                jacobian=jacobian,
                name=f"continuous_{index}",
            )

        return stack(dim, layers, "none", False, seed, layer)

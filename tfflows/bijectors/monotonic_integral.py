"""Monotonic integrals: maps whose derivative is a positive network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from numpy.polynomial import chebyshev

from tfflows.bijectors.affine_tails import AffineTails
from tfflows.bijectors.elementwise import bounded

tfb = tfp.bijectors


def _nodes(count: int) -> np.ndarray:
    """Nodes of the Clenshaw-Curtis rule on [-1, 1]."""
    return np.cos(np.pi * np.arange(count) / (count - 1))


def _to_series(count: int) -> np.ndarray:
    """Matrix `[count, count]` from values at the nodes to the Chebyshev series through them."""
    return np.linalg.inv(chebyshev.chebvander(_nodes(count), count - 1))


def _polynomials(t: tf.Tensor, count: int) -> tf.Tensor:
    """Chebyshev polynomials `T_0(t)` to `T_{count - 1}(t)`, `[..., count]`."""
    values = tf.stack([tf.ones_like(t), t], axis=-1)
    while values.shape[-1] < count:  # T_{m + j} = 2 T_m T_j - T_{m - j}
        more = 2.0 * values[..., -1:] * values[..., 1:] - tf.reverse(values[..., :-1], [-1])
        values = tf.concat([values, more], axis=-1)
    return values[..., :count]


class _MonotonicIntegral(AffineTails):
    """`x = offset + integral from 0 to y of (slope + q(u)^2) du`, with `q` a Chebyshev series.

    Args:
      roots: `[..., nodes]`, values of `q` at the nodes of [-bound, bound].
      offset: `[...]`.
      slope: the smallest derivative.
      bound: half the length of the interval.
    """

    def __init__(self, roots, offset, slope, bound):
        super().__init__(bound, "monotonic_integral")
        self.offset, self.slope = offset, slope
        nodes = roots.shape[-1]
        squares = 2 * nodes - 1  # a polynomial of twice the degree
        integral = bound * chebyshev.chebint(_to_series(squares), lbnd=0.0, axis=0)
        # In float64: if matrix products have fewer digits than float32, the derivative would not
        # match the value.
        series = tf.tensordot(tf.cast(roots, tf.float64), _to_series(nodes).T, 1)
        finer = tf.tensordot(series, chebyshev.chebvander(_nodes(squares), nodes - 1).T, 1)
        self.root = tf.cast(series, roots.dtype)
        self.integral = tf.cast(tf.tensordot(tf.square(finer), integral.T, 1), roots.dtype)

    def _within(self, y):
        polynomials = _polynomials(y / self.bound, self.integral.shape[-1])
        integral = tf.reduce_sum(self.integral * polynomials, axis=-1)
        root = tf.reduce_sum(self.root * polynomials[..., : self.root.shape[-1]], axis=-1)
        x = self.offset + self.slope * y + integral
        return x, tf.math.log(self.slope + tf.square(root))


class MonotonicIntegral(tf.Module):
    """Integral of a positive network, `embedding + 1` parameters per dimension.

    From data to latents `x = offset + min_slope y + integral from 0 to y of f(u, h) du`. The
    parameters are the offset and an embedding `h`. The integrand `f` is one network, shared by all
    dimensions; the map owns its variables.

    The Clenshaw-Curtis rule integrates, exactly, the polynomial through the integrand's values at
    its nodes. The paper applies it from 0 to `y` and takes `f(y, h)` as the derivative. The error
    of the rule is then an error of the density, and training can exploit it: the density belongs to
    a slightly different map. Here the integrand is itself a polynomial. One polynomial interpolates
    the root of `f` at nodes on the whole of [-bound, bound], and its square is the integrand. The
    square is positive between the nodes too, and value and derivative belong to one function. The
    network is called once, at the nodes, and not again for each step of the root search that
    computes the inverse. Beyond +-bound the map is a straight line.

    Args:
      embedding: length of the embedding of each dimension.
      hidden_units: sizes of the integrand's hidden layers, at least one.
      nodes: number of points at which the integrand is evaluated.
      bound: the network is integrated over [-bound, bound].
      max_log_slope: `log f` stays within +-max_log_slope at the nodes.
      min_slope: added to the integrand.
      seed: seed of the integrand's initial weights. Its last layer starts at zero: `f = 1`.
      dtype: floating type of the variables.
      name: name of the map and prefix of its variables' names.

    References: Wehenkel & Louppe, Unconstrained Monotonic Neural Networks, 2019.
    https://arxiv.org/abs/1908.05164; Clenshaw & Curtis, A method for numerical integration on an
    automatic computer, Numerische Mathematik 2, 1960.
    """

    def __init__(
        self,
        embedding: int = 8,
        hidden_units: Sequence[int] = (32, 32),
        nodes: int = 16,
        bound: float = 4.0,
        max_log_slope: float = 5.0,
        min_slope: float = 1e-3,
        seed: int = 0,
        dtype=tf.float32,
        name: str = "integrand",
    ):
        super().__init__(name=name)
        if embedding < 1:
            raise ValueError(f"embedding: expected at least 1, got {embedding}")
        if not hidden_units or min(hidden_units) < 1:
            raise ValueError(f"hidden_units: expected positive sizes, got {tuple(hidden_units)}")
        if nodes < 3:
            raise ValueError(f"nodes: expected at least 3, got {nodes}")
        for argument, value in (("bound", bound), ("max_log_slope", max_log_slope)):
            if not value > 0:
                raise ValueError(f"{argument}: expected a positive number, got {value}")
        if not 0 < min_slope < 1:
            raise ValueError(f"min_slope: expected a number between 0 and 1, got {min_slope}")
        self.parameters = embedding + 1
        self.nodes, self.bound = nodes, float(bound)
        self.max_log_slope, self.min_slope = max_log_slope, min_slope
        rng = np.random.default_rng(seed)
        sizes = [1 + embedding, *hidden_units, 1]
        self.kernels, self.biases = [], []
        for i, (inputs, outputs) in enumerate(zip(sizes[:-1], sizes[1:], strict=True)):
            limit = np.sqrt(6.0 / (inputs + outputs)) if i < len(hidden_units) else 0.0
            kernel = tf.constant(rng.uniform(-limit, limit, [inputs, outputs]), dtype)
            self.kernels.append(tf.Variable(kernel, name=f"{name}_kernel_{i}"))
            self.biases.append(tf.Variable(tf.zeros([outputs], dtype), name=f"{name}_bias_{i}"))

    def __call__(self, parameters: tf.Tensor) -> tfb.Bijector:
        """Turns `[..., embedding + 1]` (embedding, offset) into a map."""
        dtype = parameters.dtype
        kernels, biases = ([tf.cast(v, dtype) for v in vs] for vs in (self.kernels, self.biases))
        embedded = tf.tensordot(parameters[..., :-1], kernels[0][1:], 1) + biases[0]
        nodes = tf.constant(self.bound * _nodes(self.nodes)[:, np.newaxis], dtype)
        value = tf.tanh(embedded[..., tf.newaxis, :] + nodes * kernels[0][0])  # [..., node, unit]
        for kernel, bias in zip(kernels[1:-1], biases[1:-1], strict=True):
            value = tf.tanh(tf.tensordot(value, kernel, 1) + bias)
        log_slope = tf.tensordot(value, kernels[-1][:, 0], 1) + biases[-1][0]
        roots = tf.exp(0.5 * bounded(log_slope, self.max_log_slope))
        return _MonotonicIntegral(roots, parameters[..., -1], self.min_slope, self.bound)

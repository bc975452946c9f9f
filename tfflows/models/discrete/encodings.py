"""Encodings of categories: a density of vectors for each category, and the decoder by Bayes."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfflows import bijectors as tb
from tfflows import distributions, networks
from tfflows.bijectors.base import forward_and_log_det, inverse_and_log_det
from tfflows.bijectors.elementwise import bounded
from tfflows.models.discrete.starting import new_flag
from tfflows.random import pick

_EMBEDDING = 64
_HIDDEN = (128, 128)
_BOUND = 5.0  # of log-scales
_LEAST = 2.0**-24  # of uniform noise: its logit is finite

_logistic = distributions.get("logistic")


class CategoryEncoding(tf.Module):
    """Encodes each category of a row as a vector, drawn from a density `q(z | c)` of its own.

    Logistic noise is scaled and shifted, by numbers that each category has (a mixture, seen over
    all categories), and then goes through coupling layers that know the category, if there are any.
    The decoder is the posterior `q(c | z)` by Bayes' rule, with the categories' shares of the data
    as prior, so it needs no parameters.

    Args:
      size: categories in a row.
      levels: number of different categories.
      channels: length of the vectors.
      layers: number of coupling layers; at least 2 channels are needed for them.
      ordered: whether each place of a row has an encoding of its own. Coupling layers are the same
        for all places.
      seed: seed of the initial weights.
      name: name of the module.

    Reference: Lippe & Gavves, Categorical Normalizing Flows via Continuous Transformations, 2021.
    https://arxiv.org/abs/2006.09790
    """

    def __init__(self, size, levels, channels, layers, ordered, seed, name="encoding"):
        super().__init__(name=name)
        self._size, self._levels = size if ordered else 1, levels
        shape = [self._size, levels, channels]
        random = np.random.default_rng(seed)
        loc = tf.constant(random.standard_normal(shape), tf.float32)
        self.loc = tf.Variable(loc, name=f"{name}_loc")
        self.log_scale = tf.Variable(tf.fill(shape, -2.0), name=f"{name}_log_scale")
        shares = tf.fill(shape[:2], -float(np.log(levels)))
        self.log_shares = tf.Variable(shares, trainable=False, name=f"{name}_log_shares")
        self.flow = self.embedding = None
        if layers:
            start = tf.constant(random.standard_normal([levels, _EMBEDDING]), tf.float32)
            self.embedding = tf.Variable(start, name=f"{name}_embedding")
            self.flow = tb.Chain(_layers(channels, layers, seed), name=f"{name}_flow")

    def start(self, numbers: np.ndarray) -> None:
        """Sets the prior to the shares of the categories in `numbers` `[batch, size]`."""
        columns = numbers.T if self._size > 1 else [numbers.ravel()]
        counts = [np.bincount(column, minlength=self._levels) + 1.0 for column in columns]
        self.log_shares.assign([np.log(count / count.sum()) for count in counts])

    def weighted(self, numbers, u):
        """Vectors, and what a bound adds for each: `log q(c | z) - log q(z | c)`.

        Args:
          numbers: int32 `[batch, size]`.
          u: uniform noise `[batch, size, channels]`.

        Returns:
          `[batch, size, channels]`, and `[batch, size]`.
        """
        z, log_joint = self.encode(numbers, u)
        # By Bayes' rule this is log_share(c) - log q(z), with a sum over all categories in q(z);
        # the term of the right one is known without inverting its encoding.
        right = tf.one_hot(numbers, self._levels, on_value=True, off_value=False)
        joints = tf.where(right, log_joint[..., tf.newaxis], self.log_joint(z))
        shares = tf.where(right, tf.convert_to_tensor(self.log_shares), 0.0)
        return z, tf.reduce_sum(shares, -1) - tf.reduce_logsumexp(joints, -1)

    def encode(self, numbers, u):
        """Vectors, and the log of the share of a category times its density.

        Args:
          numbers: int32 `[batch, size]`.
          u: uniform noise `[batch, size, channels]`.

        Returns:
          `[batch, size, channels]`, and `[batch, size]`.
        """
        e = _logistic.quantile(_LEAST + (1.0 - _LEAST) * u)
        code = tf.one_hot(numbers, self._levels)
        loc = tf.einsum("bsk,skc->bsc", code, self._spread(self.loc, u))
        log_scale = tf.einsum("bsk,skc->bsc", code, self._spread(self._log_scales(), u))
        z = loc + tf.exp(log_scale) * e
        log_q = tf.reduce_sum(_logistic.log_prob(e) - log_scale, -1)
        if self.flow is not None:
            z, log_det = self._flow(forward_and_log_det, z, tf.gather(self.embedding, numbers))
            log_q -= log_det
        return z, log_q + tf.reduce_sum(code * self._spread(self.log_shares, u), -1)

    def log_joint(self, z):
        """Log of share times density for every category: `[batch, size, levels]`.

        Args:
          z: `[batch, size, channels]`.
        """
        z, log_q = z[:, :, tf.newaxis], 0.0
        if self.flow is not None:
            shape = tf.shape(z)[:2]
            z = tf.repeat(z, self._levels, axis=2)
            embedding = tf.broadcast_to(
                tf.convert_to_tensor(self.embedding),
                tf.concat([shape, [self._levels, _EMBEDDING]], 0),
            )
            z, log_q = self._flow(inverse_and_log_det, z, embedding)
        log_scale = self._log_scales()
        e = (z - self.loc) * tf.exp(-log_scale)
        log_q += tf.reduce_sum(_logistic.log_prob(e) - log_scale, -1)
        return log_q + self.log_shares

    def decode(self, z, u):
        """Categories, int32 `[batch, size]`, drawn from `q(c | z)` by uniform numbers `u`."""
        return pick(tf.cumsum(tf.nn.softmax(self.log_joint(z)), -1), u)

    def _log_scales(self):
        return bounded(tf.convert_to_tensor(self.log_scale), _BOUND)

    def _spread(self, values, like):
        """`values` with the size of `like`, as all places may share one encoding."""
        values = tf.convert_to_tensor(values)
        return tf.broadcast_to(values, [like.shape[1], *values.shape[1:]])

    def _flow(self, joint, z, embedding):
        return joint(self.flow, z, 1, embedding)


class EncodingAndFlow(tf.Module):
    """An encoding and the flow over its vectors, for those who look for variables."""

    def __init__(self, encoding: CategoryEncoding, chain: tb.Chain, name: str = "parts"):
        super().__init__(name=name)
        self.encoding, self.chain = encoding, chain
        self.initialized = new_flag()


def _layers(channels: int, layers: int, seed: int) -> list:
    context, found = (_EMBEDDING,), []
    for number in range(layers):
        key = 10 * layers * seed + number

        def network(outputs, key=key):
            return networks.MLP(outputs, _HIDDEN, seed=key)

        mask = np.arange(channels) < channels // 2
        found.append(tb.Coupling(mask, tb.Affine(), network, context, name=f"coupling_{number}"))
        found.append(tb.InvertibleConvolution1x1(channels, seed=key, name=f"mixing_{number}"))
    return found

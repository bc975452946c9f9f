"""The discretized logistic: probabilities of integers in a range."""

from __future__ import annotations

import tensorflow as tf


class DiscretizedLogistic:
    """The distribution of a rounded logistic number, with both tails in the outermost integers.

    The probability of the integer v is `F(v + 1/2) - F(v - 1/2)`, where F is the distribution
    function of a logistic number; at `low` the first term alone remains, and at `high` the second
    is taken from 1. So the probabilities sum to 1 in any range, and the edges are found by the
    integer itself, not by a number near it. All values are computed in the logarithm, from
    `F(b) - F(a) = F(b) (1 - F(a)) (1 - exp(a - b))`, without cancellation.

    Args:
      low, high: the range of the integers, both included.
      mean: mean of the logistic number, before rounding.
      log_scale: logarithm of its scale; it broadcasts against `mean`.

    Reference: Salimans, Karpathy, Chen & Kingma, PixelCNN++, 2017.
    https://arxiv.org/abs/1701.05517
    """

    def __init__(self, low: int, high: int, mean, log_scale):
        if not low < high:
            raise ValueError(f"high: expected more than low, {low}, got {high}")
        self.low, self.high = low, high
        self.mean = tf.convert_to_tensor(mean, dtype_hint=tf.float32)
        self.log_scale = tf.convert_to_tensor(log_scale, dtype_hint=tf.float32)

    def log_prob(self, value) -> tf.Tensor:
        """Log-probability, nats, of integers in the range (not checked), of any floating dtype."""
        inverse_scale = tf.exp(-self.log_scale)
        centred = value - self.mean
        above, below = (centred + 0.5) * inverse_scale, (centred - 0.5) * inverse_scale
        zero = tf.zeros_like(above)
        width = tf.math.log(-tf.math.expm1(-inverse_scale)) + zero
        is_low, is_high = value <= self.low, value >= self.high
        upper = tf.where(is_high, zero, tf.math.log_sigmoid(above))
        lower = tf.where(is_low, zero, tf.math.log_sigmoid(-below))
        return upper + lower + tf.where(is_low | is_high, zero, width)

    def quantile(self, u) -> tf.Tensor:
        """The least integer up to which the probabilities sum to at least `u`, for 0 < u < 1."""
        logit = tf.math.log(u) - tf.math.log1p(-u)
        value = tf.math.ceil(self.mean + tf.exp(self.log_scale) * logit - 0.5)
        return tf.clip_by_value(value, float(self.low), float(self.high))


class DiscretizedLogisticMixture:
    """A mixture of discretized logistics over one range; the components are the last axis.

    Args:
      low, high: the range of the integers, both included.
      logits: logarithms of the weights, up to a constant.
      means, log_scales: of the components; see `DiscretizedLogistic`.
    """

    def __init__(self, low: int, high: int, logits, means, log_scales):
        self.low, self.high = low, high
        self.components = DiscretizedLogistic(low, high, means, log_scales)
        self.log_weights = tf.nn.log_softmax(logits)

    def log_prob(self, value) -> tf.Tensor:
        """Log-probability, nats, of integers in the range (not checked)."""
        each = self.components.log_prob(value[..., tf.newaxis])
        return tf.reduce_logsumexp(each + self.log_weights, axis=-1)

    def draw(self, u_component, u) -> tf.Tensor:
        """A draw from two independent uniform numbers, each with 0 < u < 1.

        The first chooses the component, the second the integer.
        """
        ends = tf.cumsum(tf.exp(self.log_weights), axis=-1)
        shares = ends[..., :-1] / ends[..., -1:]
        number = tf.reduce_sum(tf.cast(u_component[..., tf.newaxis] >= shares, tf.int32), axis=-1)
        every = self.components.quantile(u[..., tf.newaxis])
        return tf.gather(every, number, batch_dims=number.shape.rank)

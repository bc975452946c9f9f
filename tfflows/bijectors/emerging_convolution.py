"""Emerging convolution: two autoregressive convolutions of opposite orders."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfflows.bijectors.image_convolution import ImageConvolution


class EmergingConvolution(ImageConvolution):
    """Two autoregressive convolutions with the joint receptive field of one `d x d` convolution.

    From data to latent, each channel of a pixel sees in the first convolution the pixels above and
    to the left, and the pixel's own channels up to that one. In the second it sees the pixels below
    and to the right, and the pixel's own channels from that one on. Each convolution is triangular
    in its own order, so the log-determinant is the sum of the logarithms of the two diagonals, and
    the density takes two small convolutions. Sampling solves each by substitution. Pixels on one
    diagonal of the image do not depend on each other, so this takes `height + width - 1` steps. If
    the kernel is large relative to its diagonal, substitution amplifies rounding errors from step
    to step. Starts as the identity.

    Args:
      shape: `(height, width, channels)`.
      kernel_size: side `d` of the joint receptive field, an odd number of at least 3; each kernel
        has a side of `(d + 1) / 2`.
      dtype: floating type of the variables.
      name: name of the bijector.

    Raises:
      ValueError: if `shape` has another rank, or the kernel size is even or below 3.

    Reference: Hoogeboom, van den Berg & Welling, Emerging Convolutions for Generative Normalizing
    Flows, 2019. https://arxiv.org/abs/1901.11137
    """

    def __init__(
        self, shape, kernel_size: int = 3, dtype=tf.float32, name: str = "emerging_convolution"
    ):
        parameters = dict(locals())
        super().__init__(shape, kernel_size, parameters, name)
        channels, side = self._shape[-1], kernel_size // 2 + 1
        # The last place of a kernel is the pixel itself: a triangular matrix over the channels,
        # stored with the logarithm of its diagonal.
        start = tf.zeros([side, side, channels, channels], dtype)
        self.first = tf.Variable(start, name=f"{name}_first")
        self.second = tf.Variable(start, name=f"{name}_second")

    def _log_det(self):
        height, width, _ = self._shape
        return height * width * tf.linalg.trace(self.first[-1, -1] + self.second[-1, -1])

    def _convolve(self, y):
        return _turn(_convolve(_turn(_convolve(y, self.first)), self.second))

    def _deconvolve(self, x):
        return _solve(_turn(_solve(_turn(x), self.second)), self.first)


def _turn(images):
    """Reverses rows, columns and channels, and with them the order of an autoregression."""
    return tf.reverse(images, [1, 2, 3])


def _places(kernel):
    """A kernel's matrices: `[side^2 - 1, C, C]` for earlier pixels, `[C, C]` for the pixel."""
    side, _, channels, _ = kernel.shape
    own = tf.linalg.band_part(kernel[-1, -1], 0, -1)
    own = tf.linalg.set_diag(own, tf.exp(tf.linalg.diag_part(own)))
    return tf.reshape(kernel, [side**2, channels, channels])[:-1], own


def _convolve(images, kernel):
    before, own = _places(kernel)
    reach = kernel.shape[0] - 1
    padded = tf.pad(images, [[0, 0], [reach, 0], [reach, 0], [0, 0]])
    masked = tf.reshape(tf.concat([before, own[None]], axis=0), kernel.shape)
    return tf.nn.conv2d(padded, masked, strides=1, padding="VALID")


def _solve(images, kernel):
    """Inverts `_convolve`, one diagonal of the images at a time.

    Positions left of an image stay zero, and none of its pixels depends on positions right of it.
    """
    before, own = _places(kernel)
    _, height, width, channels = images.shape
    side, steps = kernel.shape[0], height + width - 1
    inverse = tf.linalg.triangular_solve(own, tf.eye(channels, dtype=own.dtype), lower=False)
    weights = tf.reshape(tf.matmul(before, inverse), [-1, channels])
    target = tf.matmul(tf.reshape(images, [-1, channels]), inverse)
    diagonals = tf.transpose(_skew(tf.reshape(target, [-1, height, width, channels])), [2, 0, 1, 3])
    # How many diagonals back, and how many rows up, each earlier pixel lies.
    ups, lefts = np.divmod(np.arange(side**2 - 1, 0, -1), side)
    offsets = [(int(up + left), int(up)) for up, left in zip(ups, lefts, strict=True)]

    shape = [None, height, channels]
    targets = tf.TensorArray(own.dtype, steps, element_shape=shape).unstack(diagonals)
    solved = tf.TensorArray(own.dtype, steps, element_shape=shape)

    def step(t, solved, recent):
        rows = [recent[back - 1][:, side - 1 - up : side - 1 - up + height] for back, up in offsets]
        seen = tf.matmul(tf.reshape(tf.concat(rows, axis=-1), [-1, weights.shape[0]]), weights)
        new = targets.read(t) - tf.reshape(seen, [-1, height, channels])
        padded = tf.pad(new, [[0, 0], [side - 1, 0], [0, 0]])
        return t + 1, solved.write(t, new), [padded, *recent[:-1]]

    nothing = tf.zeros_like(tf.pad(diagonals[0], [[0, 0], [side - 1, 0], [0, 0]]))
    _, solved, _ = tf.while_loop(
        lambda t, *_: t < steps,
        step,
        (0, solved, [nothing] * (2 * side - 2)),
        maximum_iterations=steps,
    )
    return _unskew(tf.transpose(solved.stack(), [1, 2, 0, 3]), width)


def _skew(images):
    """Shifts row `h` right by `h`, with zeros: `[N, H, W, C]` to `[N, H, H + W - 1, C]`."""
    _, height, width, channels = images.shape
    steps = height + width - 1
    # Each row is stored one longer than it is read, so row `h` is read `h` places further right.
    longer = tf.pad(images, [[0, 0], [0, 0], [0, height], [0, 0]])
    flat = tf.reshape(longer, [-1, height * (steps + 1), channels])
    return tf.reshape(flat[:, : height * steps], [-1, height, steps, channels])


def _unskew(images, width):
    """Undoes `_skew`."""
    _, height, steps, channels = images.shape
    flat = tf.reshape(images, [-1, height * steps, channels])
    flat = tf.pad(flat, [[0, 0], [0, height], [0, 0]])
    return tf.reshape(flat, [-1, height, steps + 1, channels])[:, :, :width]

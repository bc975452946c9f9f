"""Emerging convolution: two autoregressive convolutions of opposite orders."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfflows.bijectors.image_convolution import ImageConvolution


class EmergingConvolution(ImageConvolution):
    """Two autoregressive convolutions, which together see what one `d x d` convolution sees.

    From data to latent: in the first a pixel sees those above and to the left of it, and its own
    channels up to each channel; in the second those below and to the right, and its own channels
    from each channel on. Either is triangular in an order of its own, so the log-determinant is the
    sum of the logarithms of the two diagonals, and the density takes two small convolutions.
    Sampling solves each by substitution: pixels of one diagonal of the image do not depend on each
    other, so `height + width - 1` steps do. Substitution multiplies rounding errors from step to
    step where the kernel is large beside its diagonal. Starts as the identity.

    Args:
      shape: `(height, width, channels)`.
      kernel_size: side `d` of what both together see, an odd number of at least 3; the kernels
        have a side of `(d + 1) / 2`.
      dtype: floating type of the variables.
      name: name of the bijector.

    Raises:
      ValueError: for another rank of `shape`, or an even kernel size.

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
        # with the logarithm of its diagonal.
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
    """A kernel's matrices `[side^2 - 1, C, C]` of the pixels before, and `[C, C]` of the pixel."""
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
    """The images whose `_convolve` is `images`, diagonal by diagonal.

    What lies left of an image stays zero, and nothing in it looks at what lies right of it.
    """
    before, own = _places(kernel)
    _, height, width, channels = images.shape
    side, steps = kernel.shape[0], height + width - 1
    inverse = tf.linalg.triangular_solve(own, tf.eye(channels, dtype=own.dtype), lower=False)
    weights = tf.reshape(tf.matmul(before, inverse), [-1, channels])
    target = tf.matmul(tf.reshape(images, [-1, channels]), inverse)
    diagonals = tf.transpose(_skew(tf.reshape(target, [-1, height, width, channels])), [2, 0, 1, 3])
    # How many diagonals back, and how many rows up, each of the pixels before lies.
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
    """Moves row `h` right by `h`: `[N, H, W, C]` to `[N, H, H + W - 1, C]`, zeros beside."""
    _, height, width, channels = images.shape
    steps = height + width - 1
    # Each row is one longer than it is read.
    longer = tf.pad(images, [[0, 0], [0, 0], [0, height], [0, 0]])
    flat = tf.reshape(longer, [-1, height * (steps + 1), channels])
    return tf.reshape(flat[:, : height * steps], [-1, height, steps, channels])


def _unskew(images, width):
    """Undoes `_skew`."""
    _, height, steps, channels = images.shape
    flat = tf.reshape(images, [-1, height * steps, channels])
    flat = tf.pad(flat, [[0, 0], [0, height], [0, 0]])
    return tf.reshape(flat, [-1, height, steps + 1, channels])[:, :, :width]

"""Periodic convolution: the image is a torus, and the Fourier transform inverts the map."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfflows.bijectors.image_convolution import ImageConvolution


class PeriodicConvolution(ImageConvolution):
    """Convolution with circular padding: `x = K * y` from data to latent.

    At each frequency a matrix over the channels relates the Fourier transforms of `x` and `y`. The
    log-determinant is the sum of those of the matrices, and sampling solves with each matrix. The
    density takes one convolution, and `height width / 2` factorisations of `2 channels` square
    matrices for all images together. Starts as the identity. Only the log-determinant keeps the
    map invertible: it falls without bound as a matrix becomes singular.

    Args:
      shape: `(height, width, channels)`.
      kernel_size: side of the kernel, an odd number of at least 3.
      dtype: floating type of the variables.
      name: name of the bijector.

    Raises:
      ValueError: if `shape` has another rank, the kernel size is even or below 1, or the kernel
        wraps round the image more than once.

    Reference: Hoogeboom, van den Berg & Welling, Emerging Convolutions for Generative Normalizing
    Flows, 2019. https://arxiv.org/abs/1901.11137
    Karami, Schuurmans, Sohl-Dickstein, Dinh & Duckworth, Invertible Convolutional Flow, 2019.
    https://papers.nips.cc/paper/2019/hash/b1f62fa99de9f27a048344d55c5ef7a6-Abstract.html
    """

    def __init__(
        self, shape, kernel_size: int = 3, dtype=tf.float32, name: str = "periodic_convolution"
    ):
        parameters = dict(locals())
        super().__init__(shape, kernel_size, parameters, name)
        height, width, channels = self._shape
        self._reach = reach = kernel_size // 2
        if reach > min(height, width):
            raise ValueError(
                f"kernel_size: expected at most {2 * min(height, width) + 1} for images of shape "
                f"{self._shape}, got {kernel_size}"
            )
        start = np.zeros([kernel_size, kernel_size, channels, channels])
        start[reach, reach] = np.eye(channels)
        self.kernel = tf.Variable(tf.constant(start, dtype), name=f"{name}_kernel")
        # Angle of each place of the kernel at each frequency. The image is real, so half of the
        # frequencies suffice; a column of them that is not its own mirror image counts twice.
        rows, columns = np.arange(height), np.arange(width // 2 + 1)
        place = np.arange(-reach, reach + 1)
        down, across = np.outer(rows, place) / height, np.outer(columns, place) / width
        angle = 2 * np.pi * (down[:, None, :, None] + across[None, :, None, :])
        self._angle = angle.reshape(-1, kernel_size**2)
        self._weight = np.tile(np.where(2 * columns % width == 0, 1.0, 2.0), height)

    def _spectrum(self):
        """Complex `[channels, channels]`, all as real `[frequencies, 2 channels, 2 channels]`."""
        channels = self._shape[-1]
        kernel = tf.reshape(self.kernel, [-1, channels**2])

        def part(wave):
            product = tf.matmul(tf.constant(wave(self._angle), kernel.dtype), kernel)
            return tf.reshape(product, [-1, channels, channels])

        real, imaginary = part(np.cos), part(np.sin)
        above = tf.concat([real, imaginary], axis=-1)
        return tf.concat([above, tf.concat([-imaginary, real], axis=-1)], axis=-2)

    def _log_det(self):
        # By QR, because XLA has no determinant. If a complex matrix is written as a real one, the
        # real determinant is the squared absolute value of the complex one.
        _, triangular = tf.linalg.qr(self._spectrum())
        log_diagonal = tf.math.log(tf.abs(tf.linalg.diag_part(triangular)))
        weight = tf.constant(self._weight / 2, log_diagonal.dtype)
        return tf.reduce_sum(weight * tf.reduce_sum(log_diagonal, axis=-1))

    def _convolve(self, y):
        reach = self._reach
        y = tf.concat([y[:, -reach:], y, y[:, :reach]], axis=1)
        y = tf.concat([y[:, :, -reach:], y, y[:, :, :reach]], axis=2)
        return tf.nn.conv2d(y, self.kernel, strides=1, padding="VALID")

    def _deconvolve(self, x):
        height, width, channels = self._shape
        waves = tf.signal.rfft2d(tf.transpose(x, [3, 0, 1, 2]))
        # One system per frequency, with one column per image.
        parts = tf.concat([tf.math.real(waves), tf.math.imag(waves)], axis=0)
        columns = tf.transpose(tf.reshape(parts, [2 * channels, -1, len(self._weight)]), [2, 0, 1])
        columns = tf.linalg.solve(self._spectrum(), columns, adjoint=True)
        parts = tf.reshape(
            tf.transpose(columns, [1, 2, 0]), [2, channels, -1, height, width // 2 + 1]
        )
        images = tf.signal.irfft2d(tf.complex(parts[0], parts[1]), [height, width])
        return tf.transpose(images, [1, 2, 3, 0])

"""Base class of the d x d convolutions: image shape, and one log-determinant for all images."""

from __future__ import annotations

import tensorflow as tf

from tfflows.bijectors.base import Bijector


class ImageConvolution(Bijector):
    """A linear map of `[height, width, channels]`, the same for every input.

    A subclass implements `_convolve`, data to latent, and `_deconvolve`, latent to data, for
    `[batch, height, width, channels]`, and `_log_det`, the scalar log-determinant of `_convolve`.

    Args:
      shape: `(height, width, channels)`.
      kernel_size: side of the kernel, an odd number of at least 3.
      parameters: the constructor's arguments, as TFP's bijectors keep them.
      name: name of the bijector.

    Raises:
      ValueError: if `shape` has another rank or a size below 1, or for another kernel size; in
        use, for images of another shape.
    """

    def __init__(self, shape, kernel_size: int, parameters: dict, name: str):
        shape = tuple(int(size) for size in shape)
        if len(shape) != 3 or min(shape) < 1:
            raise ValueError(f"shape: expected (height, width, channels), got {shape}")
        if kernel_size < 3 or kernel_size % 2 == 0:
            raise ValueError(
                f"kernel_size: expected an odd number of at least 3, got {kernel_size}"
            )
        super().__init__(forward_min_event_ndims=3, parameters=parameters, name=name)
        self._shape = self._size = shape

    def _convolve(self, y):
        raise NotImplementedError

    def _deconvolve(self, x):
        raise NotImplementedError

    def _log_det(self):
        raise NotImplementedError

    def _apply(self, function, images):
        result = function(tf.reshape(images, [-1, *self._shape]))
        return tf.ensure_shape(tf.reshape(result, tf.shape(images)), images.shape)

    def _inverse_and_log_det(self, y, context):
        return self._apply(self._convolve, y), tf.zeros_like(y[..., 0, 0, 0]) + self._log_det()

    def _forward_and_log_det(self, x, context):
        return self._apply(self._deconvolve, x), tf.zeros_like(x[..., 0, 0, 0]) - self._log_det()

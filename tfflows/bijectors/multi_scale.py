"""Multi-scale maps: half of the channels are split off between levels."""

from __future__ import annotations

import math

import tensorflow as tf

from tfflows.bijectors import base
from tfflows.bijectors.base import Bijector
from tfflows.bijectors.normalization import initialize


class MultiScale(Bijector):
    """Levels of image maps, with half of the channels split off between levels.

    From data to latents, the first level's inverse is applied, the first half of the channels
    becomes latents, the rest goes through the next level, and so on. The whole output of the last
    level becomes latents. All latents form one vector, those of the first level first. To give the
    split-off half a learned prior, end the level with a coupling that transforms that half.

    Args:
      shape: `(H, W, C)` of the data.
      levels: bijectors of images, the first nearest to the data; each maps data (`forward`'s
        output) of the shape that the level before leaves.
      name: name of the bijector.

    Raises:
      ValueError: if there are no levels, or a level leaves one channel, too few to split.

    Reference: Dinh, Sohl-Dickstein & Bengio, Density estimation using Real NVP, 2016 (section 3.6).
    https://arxiv.org/abs/1605.08803
    """

    def __init__(self, shape, levels, name: str = "multi_scale"):
        parameters = dict(locals())
        self.levels = list(levels)
        if not self.levels:
            raise ValueError("levels: expected at least one, got none")
        contexts = {base.context_shape(level) for level in self.levels} - {None}
        if len(contexts) > 1:
            raise ValueError(f"levels: expected one context shape, got {sorted(contexts)}")
        super().__init__(
            forward_min_event_ndims=1,
            inverse_min_event_ndims=3,
            context_shape=contexts.pop() if contexts else None,
            parameters=parameters,
            name=name,
        )
        self._shape = tuple(int(d) for d in shape)
        self._inner = []  # shape of each level's latents
        shape = self._shape
        for index, level in enumerate(self.levels):
            shape = tuple(level.inverse_event_shape(shape).as_list())
            self._inner.append(shape)
            if index < len(self.levels) - 1:
                if shape[-1] < 2:
                    raise ValueError(
                        f"levels: level {index} leaves {shape[-1]} channel, but a split needs at "
                        "least 2; use fewer levels"
                    )
                shape = (*shape[:-1], shape[-1] - shape[-1] // 2)

    @property
    def latent_shapes(self) -> list[tuple[int, int, int]]:
        """Shapes of the latents of each level, in the order of the vector."""
        last = len(self.levels) - 1
        return [s if i == last else (*s[:-1], s[-1] // 2) for i, s in enumerate(self._inner)]

    def _inverse_and_log_det(self, y, context):
        if y.shape[-3:].as_list() != list(self._shape):
            raise ValueError(
                f"event: {self.name} expects images {list(self._shape)}, got shape {tuple(y.shape)}"
            )
        batch = tf.shape(y)[:-3]
        parts, total = [], 0.0
        for index, level in enumerate(self.levels):
            y, log_det = base.inverse_and_log_det(level, y, 3, context)
            total += log_det
            y, part = self._split(y, index)
            parts.append(tf.reshape(part, tf.concat([batch, [math.prod(part.shape[-3:])]], 0)))
        return tf.concat(parts, -1), total

    def _split(self, value, index):
        """Returns what goes on to the next level, and what becomes latents."""
        if index == len(self.levels) - 1:
            return None, value
        half, channels = self._inner[index][-1] // 2, self._inner[index][-1]
        part, rest = tf.split(value, [half, channels - half], axis=-1)
        return rest, part

    def _forward_and_log_det(self, x, context):
        if x.shape[-1] != math.prod(self._shape):
            raise ValueError(
                f"event: {self.name} expects vectors of length {math.prod(self._shape)}, got "
                f"shape {tuple(x.shape)}"
            )
        batch = tf.shape(x)[:-1]
        parts = tf.split(x, [math.prod(shape) for shape in self.latent_shapes], axis=-1)
        shapes = zip(parts, self.latent_shapes, strict=True)
        parts = [tf.reshape(part, tf.concat([batch, shape], 0)) for part, shape in shapes]
        value, total = None, 0.0
        for level, part in zip(reversed(self.levels), reversed(parts), strict=True):
            value = part if value is None else tf.concat([part, value], -1)
            value, log_det = base.forward_and_log_det(level, value, 3, context)
            total += log_det
        return value, total

    def initialize_members(self, values, event_ndims, context, inverse):
        """Initialises each level from the values that reach it; see `normalization.initialize`."""
        if not inverse:
            raise ValueError(
                f"{self.name}: is set from data, so its `inverse` must be what takes data to "
                "latents; here its `forward` does (is it inside a tfb.Invert?)"
            )
        parts = []
        for index, level in enumerate(self.levels):
            values = initialize(level, values, event_ndims, context)
            values, part = self._split(values, index)
            parts.append(tf.reshape(part, [part.shape[0], -1]))
        return tf.concat(parts, -1)

    def _inverse_event_shape(self, shape):
        return shape[:-3].concatenate([math.prod(self._shape)])

    def _forward_event_shape(self, shape):
        return shape[:-1].concatenate(self._shape)

    def _inverse_event_shape_tensor(self, shape):
        return tf.concat([shape[:-3], tf.constant([math.prod(self._shape)], shape.dtype)], 0)

    def _forward_event_shape_tensor(self, shape):
        return tf.concat([shape[:-1], tf.constant(self._shape, shape.dtype)], 0)

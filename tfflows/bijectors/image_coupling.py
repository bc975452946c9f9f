"""Coupling over images and sets: some numbers are transformed, given the others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfflows.bijectors.base import Bijector, forward_and_log_det, inverse_and_log_det, parameters_of
from tfflows.bijectors.conditioner import as_layer
from tfflows.bijectors.elementwise import ElementwiseMap
from tfflows.tracking import layer_variables


def build_channel_network(network, shape, channels: int, context_shape, name: str):
    """Makes and builds a conditioner for images or sets, and checks what it returns.

    Args:
      network: a Keras layer from `[batch, *shape]` (and `context=[batch, *context_shape]` if
        it takes one) to `[batch, *positions, channels]`, or a function from `channels` to one.
      shape: shape of its input: positions, such as `(H, W)`, and channels.
      channels: number of channels of its output.
      context_shape: shape of one context or `None`.
      name: name of the bijector, for the error message.

    Returns:
      The layer, with its variables created.
    """
    layer = as_layer(network, channels)
    keywords = {} if context_shape is None else {"context": tf.zeros([1, *context_shape])}
    result = layer(tf.zeros([1, *shape]), **keywords)
    expected = (1, *shape[:-1], channels)
    if tuple(result.shape) != expected:
        raise ValueError(
            f"network: {name} expects a map from [batch, {', '.join(map(str, shape))}] to "
            f"[batch, {', '.join(map(str, expected[1:]))}], got output shape "
            f"{tuple(result.shape)} for a batch of 1"
        )
    return layer


class _PositionsCoupling(Bijector):
    """Base class of both couplings: a network of all positions, and the map of its output.

    The network's channels are parameter-major: the first parameter of every channel, then the
    second of each, and so on.
    """

    def __init__(self, shape, map, context_shape, parameters, name):
        self._shape = tuple(int(d) for d in shape)
        rank = len(self._shape)
        if rank < 2 or min(self._shape) < 1:
            raise ValueError(
                f"shape: expected (height, width, channels) or (size, channels), got {tuple(shape)}"
            )
        super().__init__(
            forward_min_event_ndims=rank,
            context_shape=context_shape,
            parameters=parameters,
            name=name,
        )
        self.map, self._size, self._axes = map, self._shape, list(range(-rank, 0))

    def _build(self, network, shape, channels):
        outputs = self.map.parameters * channels
        self.network = build_channel_network(network, shape, outputs, self.context_shape, self.name)
        self._network_variables = layer_variables(self.network)
        self._channels = channels

    def _elementwise(self, inputs, context, dtype):
        keywords = {} if context is None else {"context": context}
        raw = parameters_of(self.network(inputs, **keywords), dtype)
        shape = [*self._shape[:-1], self.map.parameters, self._channels]
        raw = tf.reshape(raw, [-1, *shape])
        return self.map(tf.linalg.matrix_transpose(raw))

    def _check_size(self, value):
        super()._check_size(value)
        if not value.shape[
            self._axes[0] :
        ].is_fully_defined():  # an unknown length of 1 would broadcast
            raise ValueError(f"event: {self.name} needs a known shape, got {value.shape}")

    def _forward_and_log_det(self, x, context):
        return self._apply(forward_and_log_det, x, context)

    def _inverse_and_log_det(self, y, context):
        return self._apply(inverse_and_log_det, y, context)


class MaskedCoupling(_PositionsCoupling):
    """Coupling by a mask: `y = b x + (1 - b) map(network(b x, b)).forward(x)`.

    The network sees the image with zeros in place of the transformed numbers, followed by one
    extra channel for each distinct plane of the mask.

    Args:
      mask: `[H, W, C]` booleans; true where the image passes unchanged.
      map: an elementwise map (`Affine()`, `MixtureCDF()`, ...).
      network: a Keras layer from `[batch, H, W, C + 1]` (`2 C` if the mask is not the same in all
        channels) to `[batch, H, W, map.parameters * C]`, or a function from that number of
        channels to a layer.
      context_shape: shape of one context, passed to the network as `context=`, or `None`.
      name: name of the bijector.

    Raises:
      ValueError: if the mask keeps all or nothing, or the network's output has another shape.

    Reference: Dinh, Sohl-Dickstein & Bengio, Density estimation using Real NVP, 2016.
    https://arxiv.org/abs/1605.08803
    """

    def __init__(
        self,
        mask,
        map: ElementwiseMap,
        network: Callable,
        context_shape: tuple[int, ...] | None = None,
        name: str = "masked_coupling",
    ):
        parameters = dict(locals())
        mask = np.asarray(mask, bool)
        if mask.ndim != 3 or mask.all() or not mask.any():
            raise ValueError(
                "mask: expected booleans [height, width, channels], some true and some false, "
                f"got shape {list(mask.shape)}, {int(mask.sum())} of {mask.size} true"
            )
        super().__init__(mask.shape, map, context_shape, parameters, name)
        self._mask = mask
        same = (mask == mask[..., :1]).all()
        self._planes = mask[..., :1] if same else mask
        height, width, channels = self._shape
        self._build(network, (height, width, channels + self._planes.shape[-1]), channels)

    def _apply(self, joint, value, context):
        kept = tf.where(self._mask, value, tf.zeros_like(value))
        planes = tf.zeros_like(value[..., :1]) + tf.constant(self._planes, value.dtype)
        bijector = self._elementwise(tf.concat([kept, planes], -1), context, value.dtype)
        changed, log_det = joint(bijector, value, 0)
        log_det = tf.where(self._mask, tf.zeros_like(log_det), log_det)
        return tf.where(self._mask, value, changed), tf.reduce_sum(log_det, [-3, -2, -1])


class ChannelCoupling(_PositionsCoupling):
    """Coupling of channels: one half is transformed, with parameters from the other half.

    Acts on images `[batch, H, W, C]`, and on sets of vectors `[batch, size, C]`. If the network of
    a set treats all its elements alike, so does the coupling.

    Args:
      shape: `(H, W, C)` or `(size, C)`, at least two channels.
      map: an elementwise map (`Affine()`, `MixtureCDF()`, ...).
      network: a Keras layer from `[batch, H, W, kept]` to `[batch, H, W, map.parameters *
        transformed]`, or from and to as much of a set; or a function from that number of channels
        to a layer.
      keep_last: whether the last channels pass unchanged, rather than the first.
      context_shape: shape of one context, passed to the network as `context=`, or `None`.
      name: name of the bijector.
      changed: number of channels that are transformed; by default half of them (if `C` is odd, the
        last half is the larger).

    Raises:
      ValueError: if there are too few channels, or the network's output has another shape.

    Reference: Dinh, Sohl-Dickstein & Bengio, Density estimation using Real NVP, 2016.
    https://arxiv.org/abs/1605.08803
    """

    def __init__(
        self,
        shape,
        map: ElementwiseMap,
        network: Callable,
        keep_last: bool = False,
        context_shape: tuple[int, ...] | None = None,
        name: str = "channel_coupling",
        changed: int | None = None,
    ):
        parameters = dict(locals())
        super().__init__(shape, map, context_shape, parameters, name)
        positions, channels = self._shape[:-1], self._shape[-1]
        if channels < 2:
            raise ValueError(f"shape: {name} needs at least 2 channels, got {channels}")
        self._keep_last, self._first = keep_last, channels // 2
        if changed is not None:
            if not 1 <= changed < channels:
                raise ValueError(f"changed: expected 1 to {channels - 1} channels, got {changed}")
            self._first = changed if keep_last else channels - changed
        kept = channels - self._first if keep_last else self._first
        self._build(network, (*positions, kept), channels - kept)

    def _apply(self, joint, value, context):
        # Split, not slice: the gradient of a slice is padded with zeros to the whole array.
        sizes = [self._first, self._shape[-1] - self._first]
        first, last = tf.split(value, sizes, axis=-1)
        kept, changed = (last, first) if self._keep_last else (first, last)
        changed, log_det = joint(self._elementwise(kept, context, value.dtype), changed, 0)
        pair = (changed, kept) if self._keep_last else (kept, changed)
        return tf.concat(pair, -1), tf.reduce_sum(log_det, self._axes)


class ContextAffine(Bijector):
    """A scale and shift of each channel, from the context alone: a conditional prior.

    Starts as the identity.

    Args:
      channels: length of the last axis.
      map: an elementwise map.
      context_shape: shape of one context, `(size,)`.
      dtype: floating type of the variables.
      name: name of the bijector.

    Reference: Kingma & Dhariwal, Glow, 2018 (the class-conditional top prior of its code).
    https://arxiv.org/abs/1807.03039
    """

    def __init__(
        self,
        channels: int,
        map: ElementwiseMap,
        context_shape: tuple[int, ...],
        dtype=tf.float32,
        name: str = "context_affine",
    ):
        parameters = dict(locals())
        if len(context_shape) != 1:
            raise ValueError(f"context_shape: expected (size,), got {tuple(context_shape)}")
        super().__init__(
            forward_min_event_ndims=3,
            context_shape=context_shape,
            parameters=parameters,
            name=name,
        )
        self.map, self._size = map, channels
        shape = [context_shape[0], map.parameters * channels]
        self.kernel = tf.Variable(tf.zeros(shape, dtype), name=f"{name}_kernel")

    def _elementwise(self, context):
        raw = tf.matmul(tf.cast(context, self.kernel.dtype), self.kernel)
        raw = tf.reshape(raw, [-1, 1, 1, self.map.parameters, self._size])
        return self.map(tf.linalg.matrix_transpose(raw))

    def _forward_and_log_det(self, x, context):
        y, log_det = forward_and_log_det(self._elementwise(context), x, 0)
        return y, tf.reduce_sum(log_det, [-3, -2, -1])

    def _inverse_and_log_det(self, y, context):
        x, log_det = inverse_and_log_det(self._elementwise(context), y, 0)
        return x, tf.reduce_sum(log_det, [-3, -2, -1])

"""Discrete flows: bijections of vectors of categories, held as one-hot codes.

A category is an integer modulo the number of categories, `levels`. A map multiplies it by one
number and adds another; a network of the other categories chooses both. The arithmetic is that of
integers, so the inverse is exact. The derivative of a choice is that of the softmax
(straight-through), and the derivative of the arithmetic counts what each possible choice would have
led to. Events must be codes; this is not checked.

The log-determinants are 0, because codes have no volume. Their derivatives are not 0 but those of
the entropies of the choices, weighted by a temperature: training maximises the entropies, too.
Without them the softmax soon gives all of its probability to the first shift that helps, and better
shifts no longer get a derivative.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfflows.bijectors.base import Bijector
from tfflows.bijectors.conditioner import as_layer, build_conditioner
from tfflows.checks import whole_number
from tfflows.tracking import layer_variables


def _number(code: tf.Tensor) -> tf.Tensor:
    """The integers of codes `[..., levels]`, int32."""
    return tf.argmax(code, axis=-1, output_type=tf.int32)


def _pick(values: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
    """`values[..., places]`, for two tensors of one shape but the last axis."""
    return tf.gather(values, places, batch_dims=places.shape.rank - 1, axis=-1)


def chosen(logits: tf.Tensor) -> tf.Tensor:
    """A code of the largest logit, with the gradient of the softmax."""
    soft = tf.nn.softmax(logits)
    code = tf.one_hot(_number(logits), logits.shape[-1], dtype=logits.dtype)
    return tf.stop_gradient(code) + (soft - tf.stop_gradient(soft))


class ModularAffine:
    """`y = scale * x + shift` modulo the number of levels; a map for couplings of codes.

    Args:
      levels: number of categories, at least 2.
      scales: whether there is a scale. It is one of the integers that have an inverse modulo
        `levels`, which are those without a common factor; with 2 levels there is only 1.
      temperature: weight of the choices' entropies in training. The larger it is, the longer all
        choices are tried. Above 0, logits tend to the gain of each choice in nats, divided by it,
        so the largest logit is that of the best choice.

    Reference: Tran, Vafa, Agrawal, Dinh & Poole, Discrete Flows, 2019.
    https://arxiv.org/abs/1905.10347
    """

    def __init__(self, levels: int, scales: bool = False, temperature: float = 1.0):
        self.levels = whole_number("levels", levels, 2)
        if not 0.0 <= temperature < math.inf:
            raise ValueError(f"temperature: expected a number from 0, got {temperature}")
        self.temperature = temperature
        units = [u for u in range(1, levels) if math.gcd(u, levels) == 1] if scales else [1]
        # Products of each unit, and of its inverse, with each category.
        inverses = [pow(u, -1, levels) for u in units]
        self._times, self._over = (
            np.outer(each, np.arange(levels)) % levels for each in (units, inverses)
        )
        self.parameters = levels + (len(units) if len(units) > 1 else 0)

    def choices(self, parameters: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Codes of shifts and, if there is a choice, of scales, for `[..., parameters]`."""
        shift = chosen(parameters[..., : self.levels])
        if self.parameters == self.levels:
            return shift, None
        return shift, chosen(parameters[..., self.levels :])

    def entropy_bonus(self, parameters: tf.Tensor) -> tf.Tensor:
        """Zeros `[...]`, with the derivative of the choices' entropies times the temperature."""
        total, sizes = 0.0, [self.levels, self.parameters - self.levels]
        for logits in tf.split(parameters, sizes, axis=-1)[: 1 + (sizes[1] > 0)]:
            log_p = tf.nn.log_softmax(logits)
            total -= tf.reduce_sum(tf.exp(log_p) * log_p, axis=-1)
        return self.temperature * (total - tf.stop_gradient(total))

    def forward(self, code: tf.Tensor, parameters: tf.Tensor) -> tf.Tensor:
        """Codes `[..., levels]` of latents to codes of data."""
        shift, scale = self.choices(parameters)
        return self._add(self._multiply(code, scale, self._times, self._over), shift, 1)

    def inverse(self, code: tf.Tensor, parameters: tf.Tensor) -> tf.Tensor:
        """Codes `[..., levels]` of data to codes of latents."""
        shift, scale = self.choices(parameters)
        return self._multiply(self._add(code, shift, -1), scale, self._over, self._times)

    def _add(self, code, shift, sign):
        levels = tf.range(self.levels)

        @tf.custom_gradient
        def add(code, shift):
            number, steps = _number(code)[..., tf.newaxis], _number(shift)[..., tf.newaxis]

            def gradient(upstream):
                # A category k would have become k + steps; a shift q would have led to number + q.
                to = tf.math.floormod(levels + sign * steps, self.levels)
                by = tf.math.floormod(number + sign * levels, self.levels)
                return _pick(upstream, to), _pick(upstream, by)

            result = tf.math.floormod(number + sign * steps, self.levels)[..., 0]
            return tf.one_hot(result, self.levels, dtype=code.dtype), gradient

        return add(code, shift)

    def _multiply(self, code, scale, table, inverse):
        if scale is None:
            return code

        @tf.custom_gradient
        def multiply(code, scale):
            number, which = _number(code), _number(scale)

            def gradient(upstream):
                to = tf.gather(tf.constant(table, tf.int32), which)
                by = tf.gather(tf.constant(table.T, tf.int32), number)
                return _pick(upstream, to), _pick(upstream, by)

            # Category k of the result is category inverse(k) of the code.
            return _pick(code, tf.gather(tf.constant(inverse, tf.int32), which)), gradient

        return multiply(code, scale)


class _CodeBijector(Bijector):
    """A bijection of codes `[size, levels]`."""

    def __init__(self, size, map, parameters, name):
        super().__init__(forward_min_event_ndims=2, parameters=parameters, name=name)
        self.map, self._size = map, (size, map.levels)

    def _flat(self, code):
        return tf.reshape(code, [-1, math.prod(code.shape[1:])])

    def _zeros(self, code):
        return tf.zeros([tf.shape(code)[0]], code.dtype)


class ModularCoupling(_CodeBijector):
    """A coupling of categories: some stay, and a network of them maps each of the others.

    Args:
      mask: `[size]`, true for the categories that stay; some must stay and some change.
      map: a `ModularAffine`.
      network: a Keras layer, or a function from its number of outputs to one. It maps the codes
        that stay, flattened, `[batch, stay * levels]`, to `[batch, change * map.parameters]`.
        It must return the same bits in both directions: see `tfflows.networks.quantized`.
      name: name of the bijector.

    Raises:
      ValueError: for a mask that leaves nothing to change or to see, or a network of another shape.
    """

    def __init__(self, mask, map: ModularAffine, network: Callable, name="modular_coupling"):
        parameters = dict(locals())
        mask = np.asarray(mask, bool)
        if mask.ndim != 1 or mask.all() or not mask.any():
            raise ValueError(
                f"mask: expected a vector with some true and some false, got {mask.tolist()}"
            )
        super().__init__(len(mask), map, parameters, name)
        self._stay, self._change = np.flatnonzero(mask), np.flatnonzero(~mask)
        inputs, outputs = len(self._stay) * map.levels, len(self._change) * map.parameters
        self.network = build_conditioner(network, inputs, outputs, None, name)
        self._network_variables = layer_variables(self.network)
        self._order = np.argsort(np.concatenate([self._stay, self._change]))

    def _apply(self, step, code):
        stay = tf.gather(code, self._stay, axis=1)
        change = tf.gather(code, self._change, axis=1)
        found = self.network(self._flat(stay))
        shape = [-1, len(self._change), self.map.parameters]
        parameters = tf.reshape(tf.cast(found, code.dtype), shape)
        changed = step(change, parameters)
        value = tf.gather(tf.concat([stay, changed], 1), self._order, axis=1)
        return value, tf.reduce_sum(self.map.entropy_bonus(parameters), axis=1)

    def _forward_and_log_det(self, x, context):
        return self._apply(self.map.forward, x)

    def _inverse_and_log_det(self, y, context):
        return self._apply(self.map.inverse, y)


class ModularAutoregressive(_CodeBijector):
    """An autoregressive map of categories: a network of those before it maps each one.

    Data to latents takes one pass of the network. Latents to data takes about as much work, and has
    no derivative.

    Args:
      size: length of the vector.
      map: a `ModularAffine`.
      network: an `IntegerAutoregressiveNetwork`, or a function from its number of parameters to
        one.
      backwards: whether "before" means nearer to the end of the vector.
      name: name of the bijector.
    """

    def __init__(
        self,
        size: int,
        map: ModularAffine,
        network: Callable,
        backwards: bool = False,
        name="modular_autoregressive",
    ):
        parameters = dict(locals())
        super().__init__(size, map, parameters, name)
        self.network, self._backwards = as_layer(network, map.parameters), backwards
        shape = tuple(self.network(tf.zeros([1, size * map.levels])).shape)
        if shape != (1, size, map.parameters):
            raise ValueError(
                f"network: {name} expects a map from [batch, {size * map.levels}] to [batch, "
                f"{size}, {map.parameters}], got output shape {shape} for a batch of 1"
            )
        self._network_variables = layer_variables(self.network)

    def _turned(self, code):
        return tf.reverse(code, [1]) if self._backwards else code

    def _inverse_and_log_det(self, y, context):
        y = self._turned(y)
        parameters = tf.cast(self.network(self._flat(y)), y.dtype)
        log_det = tf.reduce_sum(self.map.entropy_bonus(parameters), axis=1)
        return self._turned(self.map.inverse(y, parameters)), log_det

    def _forward_and_log_det(self, x, context):
        x, levels = self._turned(x), self.map.levels

        def choose(parameters, number):
            code = tf.one_hot(tf.cast(number, tf.int32), levels, dtype=parameters.dtype)
            number = tf.cast(_number(self.map.forward(code, parameters)), number.dtype)
            return number, tf.zeros_like(number)

        numbers, _ = self.network.generate_codes(choose, tf.cast(_number(x), x.dtype))
        code = tf.one_hot(tf.cast(numbers, tf.int32), levels, dtype=x.dtype)
        return self._turned(code), self._zeros(x)

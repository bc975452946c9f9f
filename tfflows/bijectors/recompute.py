"""A chain whose training memory does not grow with its length."""

from __future__ import annotations

import contextlib

import tensorflow as tf

from tfflows import random
from tfflows.bijectors import base
from tfflows.bijectors.chain import Chain


class RecomputingChain(Chain):
    """A `Chain` that recomputes its activations in the backward pass instead of keeping them.

    An ordinary chain keeps the activations of all its members' networks from the forward to the
    backward pass. This one keeps only its output. The backward pass starts from there and goes
    member by member: it reconstructs the member's input with the member's other direction, runs the
    member on it once more, now recorded, takes gradients, and drops all of that before the next
    member. So it holds the activations of only one member at a time, however long the chain, and
    each member runs three times instead of once. A member whose other direction is a root search
    runs that search as well.

    Maps, variables and their order are those of `Chain`, so weights saved from one load into the
    other. Only `forward_and_log_det` and `inverse_and_log_det` recompute; gradients through
    `forward`, `inverse` and TFP's distributions are the ordinary ones, and so are all values.

    Gradients equal the ordinary ones up to the rounding of the reconstruction. There are no second
    derivatives.

    Args:
      bijectors: sequence of bijectors, at least one, the first nearest to the data.
      keep_every: keeps the input of every `keep_every`-th member, instead of reconstructing it, so
        that rounding does not accumulate past it (24 members are eight steps of Glow). With 1
        nothing is reconstructed: gradients are exactly the ordinary ones and each member runs
        twice, for the memory of one event per member. `None` keeps only the input of the chain.
      name: name of the bijector.

    Raises:
      ValueError: if two members take contexts of different shapes, or `keep_every` is not a
        positive number; in the backward pass, if a member draws training noise in only one
        direction, because its input cannot be reconstructed.

    Reference: Gomez, Ren, Urtasun & Grosse, The Reversible Residual Network: Backpropagation
    Without Storing Activations, 2017. https://arxiv.org/abs/1707.04585
    """

    def __init__(self, bijectors, keep_every: int | None = 24, name: str = "chain"):
        if keep_every is not None and (isinstance(keep_every, bool) or keep_every < 1):
            raise ValueError(f"keep_every: expected a positive number or None, got {keep_every!r}")
        super().__init__(bijectors, name=name)
        self._parameters = self._no_dependency({**self._parameters, "keep_every": keep_every})
        self.keep_every = keep_every

    def forward_and_log_det(self, x, context=None):
        """Returns `(y, log|det dy/dx|)` for latents `x`; see the class."""
        base.check_context(self, context)
        joints = base.forward_and_log_det, base.inverse_and_log_det
        return self._recomputed(self.bijectors[::-1], *joints, x, context)

    def inverse_and_log_det(self, y, context=None):
        """Returns `(x, log|det dx/dy|)` for data `y`; see the class."""
        base.check_context(self, context)
        joints = base.inverse_and_log_det, base.forward_and_log_det
        return self._recomputed(self.bijectors, *joints, y, context)

    def _ranks(self, members, inverse):
        """Rank of the event before each member, and after the last."""
        rank = self.inverse_min_event_ndims if inverse else self.forward_min_event_ndims
        ranks = [rank]
        for member in members:
            rank = member.inverse_event_ndims(rank) if inverse else member.forward_event_ndims(rank)
            ranks.append(rank)
        return ranks

    def _recomputed(self, members, there, back, value, context):
        ranks = self._ranks(members, there is base.inverse_and_log_det)
        contexts = [] if context is None else [tf.convert_to_tensor(context)]

        @tf.custom_gradient
        def run(value, *contexts):
            kept, noise, total = {}, [random.noise_position()], 0.0
            with _unrecorded():
                for index, member in enumerate(members):
                    if index == 0 or self.keep_every and index % self.keep_every == 0:
                        kept[index] = value
                    value, log_det = there(member, value, ranks[index], *contexts)
                    total += log_det
                    # Else TF may leave all log-determinants to the end and hold their inputs.
                    value = _after([total], value)
                    noise.append(random.noise_position())

            def backward(d_value, d_total, variables=()):
                output, gradients = value, {}
                d_contexts = [tf.zeros_like(c) for c in contexts]
                done = [d_value, d_total]
                for index in reversed(range(len(members))):
                    member, position = members[index], noise[index]
                    if index in kept:
                        given = _after(done, kept[index])
                    else:
                        with random.noise_from(position):
                            given, _ = back(
                                member, _after(done, output), ranks[index + 1], *contexts
                            )
                            _check_noise(member, noise[index + 1])
                    output = given = tf.stop_gradient(given)
                    with tf.GradientTape() as tape, random.noise_from(position):
                        tape.watch([given, *contexts])
                        result, log_det = there(member, given, ranks[index], *contexts)
                        log_det += tf.zeros_like(d_total)
                    own = tape.watched_variables()
                    d_value, *rest = tape.gradient(
                        [result, log_det],
                        [given, *contexts, *own],
                        [d_value, d_total],
                        unconnected_gradients=tf.UnconnectedGradients.ZERO,
                    )
                    done = [d_value, *rest]
                    added, of_variables = rest[: len(contexts)], rest[len(contexts) :]
                    d_contexts = [a + b for a, b in zip(d_contexts, added, strict=True)]
                    for variable, gradient in zip(own, of_variables, strict=True):
                        held = gradients.get(variable.ref())
                        gradients[variable.ref()] = gradient if held is None else held + gradient
                of_variables = [gradients[variable.ref()] for variable in variables]
                flat = list(_first_order(d_value, *d_contexts, *of_variables))
                inputs, of_variables = flat[: 1 + len(contexts)], flat[1 + len(contexts) :]
                return (inputs, of_variables) if variables else inputs

            return (value, total), backward

        return run(value, *contexts)


def _unrecorded():
    """A context in which no tape keeps what runs. In a graph no tape keeps anything anyway."""
    return tf.init_scope() if tf.executing_eagerly() else contextlib.nullcontext()


def _after(done, value):
    """`value`, available only after the tensors `done` are computed."""
    with tf.control_dependencies(done):
        return tf.identity(value)


def _check_noise(member, expected):
    if random.noise_position()[1] != expected[1]:
        raise ValueError(
            f"bijectors: {member.name} draws training noise in one direction only, so its input "
            "cannot be reconstructed; use keep_every=1"
        )


@tf.custom_gradient
def _first_order(*gradients):
    """The gradients; their own derivatives, which would be wrong, raise an error instead."""

    def backward(*_):
        raise NotImplementedError("RecomputingChain has no second derivatives; use Chain")

    return gradients, backward

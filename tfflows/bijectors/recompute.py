"""A chain whose training memory does not grow with its length."""

from __future__ import annotations

import contextlib

import tensorflow as tf

from tfflows import random
from tfflows.bijectors import base
from tfflows.bijectors.chain import Chain


class RecomputingChain(Chain):
    """A `Chain` that computes its activations anew in the backward pass instead of keeping them.

    An ordinary chain keeps, from the forward to the backward pass, what every network of every
    member has computed. This one keeps its output. The backward pass goes from there member by
    member: the member's input is reconstructed by its other direction, the member runs once more
    on it, now recorded, gradients are taken, and all of that is dropped before the next one. So
    the activations of one member are held at a time, however many there are, and members run three
    times in place of one; one whose other direction is a root search runs that search as well.

    Maps, variables and their order are those of `Chain`: weights saved of the one load into the
    other. It is `forward_and_log_det` and `inverse_and_log_det` that recompute; gradients through
    `forward`, `inverse` and TFP's distributions are the ordinary ones. So are values everywhere.

    Gradients equal the ordinary ones up to the rounding of the reconstruction. There are no second
    derivatives.

    Args:
      bijectors: sequence of bijectors, at least one, the first nearest to the data.
      keep_every: keeps the input of one member in that many, instead of reconstructing it, so that
        rounding cannot add up beyond (24 are eight steps of Glow). With 1 nothing is reconstructed:
        then gradients are exactly the ordinary ones and each member runs twice, for one event of
        memory a member. `None` keeps none.
      name: name of the bijector.

    Raises:
      ValueError: if two members take contexts of different shapes, or `keep_every` is not a
        positive number; in the backward pass, for a member that draws training noise in one
        direction alone, which cannot be reconstructed.

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
                    # Else what log-determinants are made of may wait, all together, for the end.
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
    """Within it, no tape keeps what runs. In a graph nothing that runs is kept by a tape."""
    return tf.init_scope() if tf.executing_eagerly() else contextlib.nullcontext()


def _after(done, value):
    """`value`, for use only when the gradients `done` are there."""
    with tf.control_dependencies(done):
        return tf.identity(value)


def _check_noise(member, expected):
    if random.noise_position()[1] != expected[1]:
        raise ValueError(
            f"bijectors: {member.name} draws training noise in one direction alone, so its input "
            "cannot be reconstructed; use keep_every=1"
        )


@tf.custom_gradient
def _first_order(*gradients):
    """The gradients, whose own derivatives are an error, where else they would be wrong."""

    def backward(*_):
        raise NotImplementedError("RecomputingChain has no second derivatives; use Chain")

    return gradients, backward

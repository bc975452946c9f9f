"""What every bijector must pass; `tests/bijector_registry.py` lists those that do.

Each check takes a `Case` and raises AssertionError. TFP's cache is broken by `tf.identity` wherever
a value goes back through the map: with the cache, `inverse(forward(x))` returns `x` whatever
`_inverse` computes.
"""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Callable

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp

from tfflows import Flow
from tfflows import bijectors as tb
from tfflows.tracking import raw_variables

tfb = tfp.bijectors
tfd = tfp.distributions

BATCH = 7


@dataclasses.dataclass(frozen=True)
class Case:
    """A bijector to be checked.

    Attributes:
      build: makes it for a dtype's name, with the same initial values at every call.
      event_shape: shape of its event.
      latent_shape: shape of its latent, where it is another.
      context_shape: shape of its context or `None`.
      latents: where latents lie: `"real"`, or `"unit"` for (0, 1).
      extremes: magnitudes that float32 events must survive.
      tolerance: of float32 round trips, relative to 1 + the value.
    """

    build: Callable[[str], tfb.Bijector]
    event_shape: tuple[int, ...] = (5,)
    context_shape: tuple[int, ...] | None = None
    latent_shape: tuple[int, ...] | None = None
    latents: str = "real"
    extremes: tuple[float, ...] = (1e-30, 1e-4, 3.0, 50.0, 1e4)
    tolerance: float = 2e-4

    @property
    def of_latent(self) -> tuple[int, ...]:
        """Shape of a latent."""
        return self.event_shape if self.latent_shape is None else self.latent_shape

    def events(self, dtype: str, seed: int = 0, batch: int = BATCH):
        """Random data, in the dtype."""
        return tf.constant(
            np.random.default_rng(seed).normal(size=(batch, *self.event_shape)), dtype
        )

    def latent_events(self, dtype: str, seed: int = 1, batch: int = BATCH):
        """Random latents, in the dtype."""
        rng = np.random.default_rng(seed)
        shape = (batch, *self.of_latent)
        draw = rng.normal(size=shape) if self.latents == "real" else rng.uniform(0.02, 0.98, shape)
        return tf.constant(draw, dtype)

    def keywords(self, dtype: str, seed: int = 2, batch: int = BATCH) -> dict:
        """The context, where there is one."""
        if self.context_shape is None:
            return {}
        rng = np.random.default_rng(seed)
        return {"context": tf.constant(rng.normal(size=(batch, *self.context_shape)), dtype)}

    def randomized(self, dtype: str = "float32", seed: int = 3) -> tfb.Bijector:
        """The bijector with its trainable variables moved away from their initial values."""
        bijector = self.build(dtype)
        rng = np.random.default_rng(seed)
        for variable in raw_variables(bijector):
            if variable.trainable:
                variable.assign_add(
                    tf.constant(rng.normal(size=variable.shape) * 0.2, variable.dtype)
                )
        return bijector


def _close(a, b, tolerance, what):
    a, b = np.asarray(a), np.asarray(b)
    assert a.shape == b.shape, f"{what}: shapes {a.shape} and {b.shape}"
    error = np.max(np.abs(a - b) / (1.0 + np.abs(b)), initial=0.0)
    assert error <= tolerance, f"{what}: off by {error:.2e}, allowed {tolerance:.0e}"


def check_round_trip(case: Case) -> None:
    """Both round trips return to the start, in float64 and float32."""
    for dtype, tolerance in (("float64", 1e-6), ("float32", case.tolerance)):
        bijector, keywords = case.randomized(dtype), case.keywords(dtype)
        x = case.latent_events(dtype)
        y = bijector.forward(x, **keywords)
        _close(bijector.inverse(tf.identity(y), **keywords), x, tolerance, f"{dtype} latent")
        y = case.events(dtype)
        x = bijector.inverse(y, **keywords)
        _close(bijector.forward(tf.identity(x), **keywords), y, tolerance, f"{dtype} data")


def _jacobian_log_det(function, value, keywords):
    """The log-determinant of the Jacobian, all of whose rows come from one backward pass."""
    size = int(np.prod(value.shape[1:]))

    def repeated(tensor):
        return tf.repeat(tensor, size, axis=0)

    copies = repeated(value)
    with tf.GradientTape() as tape:
        tape.watch(copies)
        result = function(tf.identity(copies), **tf.nest.map_structure(repeated, keywords))
    # Copy i of an event gets the gradient of number i of its result.
    each = tf.reshape(tf.tile(tf.eye(size, dtype=value.dtype), [len(value), 1]), result.shape)
    jacobian = tape.gradient(result, copies, each)
    return np.linalg.slogdet(np.reshape(jacobian, [-1, size, size]))[1]


def check_log_det(case: Case) -> None:
    """Log-determinants agree with the autodiff Jacobian, both ways, by every route."""
    bijector, keywords = case.randomized("float64"), case.keywords("float64")
    ndims, latent_ndims = len(case.event_shape), len(case.of_latent)
    x, y = case.latent_events("float64"), case.events("float64")
    forward = _jacobian_log_det(bijector.forward, x, keywords)
    inverse = _jacobian_log_det(bijector.inverse, y, keywords)
    fldj = bijector.forward_log_det_jacobian(tf.identity(x), event_ndims=latent_ndims, **keywords)
    ildj = bijector.inverse_log_det_jacobian(tf.identity(y), event_ndims=ndims, **keywords)
    zeros = tf.zeros([BATCH], tf.float64)
    _close(fldj + zeros, forward, 1e-6, "forward_log_det_jacobian")
    _close(ildj + zeros, inverse, 1e-6, "inverse_log_det_jacobian")
    context = keywords.get("context")
    y2, joint = tb.forward_and_log_det(bijector, tf.identity(x), latent_ndims, context)
    _close(joint + zeros, forward, 1e-6, "forward_and_log_det")
    _close(y2, bijector.forward(tf.identity(x), **keywords), 1e-9, "forward_and_log_det's value")
    x2, joint = tb.inverse_and_log_det(bijector, tf.identity(y), ndims, context)
    _close(joint + zeros, inverse, 1e-6, "inverse_and_log_det")
    _close(x2, bijector.inverse(tf.identity(y), **keywords), 1e-9, "inverse_and_log_det's value")
    # TFP asks for the log-determinant after the value, by way of its cache.
    y = bijector.forward(x, **keywords)
    ildj = bijector.inverse_log_det_jacobian(y, event_ndims=ndims, **keywords)
    _close(ildj + zeros, -forward, 1e-6, "inverse_log_det_jacobian of forward's value")


def _objective(bijector, case, dtype):
    keywords, ndims = case.keywords(dtype), len(case.event_shape)
    x, log_det = tb.inverse_and_log_det(
        bijector, case.events(dtype), ndims, keywords.get("context")
    )
    weights = tf.cast(tf.reshape(tf.range(1, 1 + tf.size(x)), tf.shape(x)), x.dtype)
    return tf.reduce_sum(tf.sin(x * weights)) + tf.reduce_sum(log_det)


def check_gradients(case: Case) -> None:
    """A gradient, finite and not zero, reaches every trainable variable."""
    bijector = case.randomized()
    variables = [v for v in raw_variables(bijector) if v.trainable]
    with tf.GradientTape() as tape:
        objective = _objective(bijector, case, "float32")
    for variable, gradient in zip(variables, tape.gradient(objective, variables), strict=True):
        assert gradient is not None, f"no gradient reaches {variable.name}"
        gradient = tf.convert_to_tensor(gradient).numpy()
        assert np.isfinite(gradient).all(), f"the gradient of {variable.name} is not finite"
        assert np.any(gradient != 0), f"the gradient of {variable.name} is zero"


def _used_variables(function):
    with tf.GradientTape() as tape:
        function()
    return {id(variable) for variable in tape.watched_variables()}


def check_tracking(case: Case) -> None:
    """Keras, `tf.Module` and the checkpoint see every variable that the map reads."""
    bijector = case.build("float32")
    read = _used_variables(lambda: _objective(bijector, case, "float32"))
    wrapped = {
        "alone": bijector,
        "in tfb.Chain": tfb.Chain([bijector]),
        "in tfb.Invert": tfb.Invert(bijector),
    }
    expected = {id(v) for v in raw_variables(bijector) if v.trainable}
    assert read <= expected, f"{len(read - expected)} of the variables it reads are not found"
    for where, module in wrapped.items():
        got = {id(v) for v in module.trainable_variables}
        assert got == expected, f"tf.Module, {where}: {len(got)} variables of {len(expected)}"
        shape = case.of_latent if where == "in tfb.Invert" else case.event_shape
        keras_sees = {id(v.value) for v in Flow(module, shape).trainable_variables}
        assert keras_sees == expected, f"Keras, {where}: {len(keras_sees)} of {len(expected)}"
    base = tfd.Sample(tfd.Normal(0.0, 1.0), case.of_latent)
    distribution = tfd.TransformedDistribution(base, bijector)
    got = {id(v) for v in distribution.trainable_variables}
    assert got == expected, f"TransformedDistribution: {len(got)} variables of {len(expected)}"


def check_save_and_restore(case: Case) -> None:
    """`.weights.h5` and `tf.train.Checkpoint` bring back the same map."""
    source, y, keywords = case.randomized(), case.events("float32"), case.keywords("float32")
    context = keywords.get("context")
    expected = tb.inverse_and_log_det(source, y, len(case.event_shape), context)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "m.weights.h5")
        Flow(source, case.event_shape).save_weights(path)
        by_keras = case.build("float32")
        Flow(by_keras, case.event_shape).load_weights(path)
        saved = tf.train.Checkpoint(bijector=source).write(os.path.join(folder, "checkpoint"))
        by_checkpoint = case.build("float32")
        tf.train.Checkpoint(bijector=by_checkpoint).read(saved).assert_consumed()
    for how, restored in (("weights.h5", by_keras), ("Checkpoint", by_checkpoint)):
        got = tb.inverse_and_log_det(restored, tf.identity(y), len(case.event_shape), context)
        for a, b in zip(got, expected, strict=True):
            _close(a, b, 1e-6, f"after {how}")


def check_compiled(case: Case) -> None:
    """With an unknown batch in a graph, and under XLA, both directions give eager's values."""
    bijector, keywords = case.randomized(), case.keywords("float32")
    names = list(keywords)
    for joint, value in (
        (tb.forward_and_log_det, case.latent_events("float32")),
        (tb.inverse_and_log_det, case.events("float32")),
    ):
        ndims = value.shape.rank - 1

        def run(value, *context, joint=joint, ndims=ndims):
            return joint(bijector, tf.identity(value), ndims, *context)

        arguments = [value, *(keywords[name] for name in names)]
        specs = [tf.TensorSpec([None, *a.shape[1:]], a.dtype) for a in arguments]
        graph = tf.function(run, input_signature=specs)
        xla = tf.function(run, jit_compile=True)
        expected = run(*arguments)
        for how, got in (("graph", graph(*arguments)), ("XLA", xla(*arguments))):
            for a, b in zip(got, expected, strict=True):
                _close(a, b, case.tolerance, f"{joint.__name__}, {how}")
        shorter = graph(*(a[:2] for a in arguments))
        _close(shorter[0], expected[0][:2], case.tolerance, f"{joint.__name__}, batch of 2")


def check_float32_extremes(case: Case) -> None:
    """Far and tiny data give numbers, with gradients that are numbers, and a finite log-density
    never turns into NaN."""
    bijector = case.randomized()
    variables = [v for v in raw_variables(bijector) if v.trainable]
    sizes = np.repeat([sign * size for size in case.extremes for sign in (1.0, -1.0)], 2)
    shape = [-1] + [1] * len(case.event_shape)
    y = tf.constant(sizes.reshape(shape) + np.zeros(case.event_shape), tf.float32)
    context = case.keywords("float32", batch=len(sizes)).get("context")
    with tf.GradientTape() as tape:
        x, log_det = tb.inverse_and_log_det(bijector, y, len(case.event_shape), context)
        total = tf.reduce_sum(log_det) + tf.reduce_sum(x)
    log_det = np.broadcast_to(log_det, len(sizes))
    for size, values, own in zip(sizes, x.numpy(), log_det, strict=True):
        assert np.isfinite(values).all(), f"inverse({size:g}) is not finite"
        assert np.isfinite(own), f"log-det at {size:g}"
    for v, g in zip(variables, tape.gradient(total, variables), strict=True):
        if g is not None:
            finite = np.isfinite(tf.convert_to_tensor(g).numpy()).all()
            assert finite, f"gradient of {v.name} at one of {case.extremes} is not finite"


def check_context(case: Case) -> None:
    """A context is used, is routed by chains and inverses, and is asked for when it is missing."""
    bijector, y = case.randomized(), case.events("float32")
    if case.context_shape is None:
        try:
            bijector.inverse(y, context=tf.zeros([BATCH, 2]))
        except (ValueError, TypeError):
            return
        raise AssertionError("a needless context is accepted in silence")
    one, other = case.keywords("float32", seed=2), case.keywords("float32", seed=22)
    first = bijector.inverse(tf.identity(y), **one).numpy()
    second = bijector.inverse(tf.identity(y), **other).numpy()
    assert np.abs(first - second).max() > 1e-4, "the context is ignored"
    chain = tb.Chain([tb.reversal(case.event_shape[-1]), tb.Chain([bijector])])
    routed = chain.inverse(tf.reverse(y, [-1]), **one)
    _close(routed, first, 1e-5, "the context through two chains")
    inverted = tb.Invert(tb.Invert(bijector))
    _close(inverted.inverse(tf.identity(y), **one), first, 1e-5, "the context through Invert")
    for outer in (bijector, chain, inverted, tfb.Chain([bijector])):
        try:
            outer.inverse(tf.identity(y))
        except ValueError as error:
            assert "context" in str(error), f"the error does not name the context: {error}"
        else:
            raise AssertionError(f"{outer.name}: a missing context is accepted in silence")


def check_batch_shapes(case: Case) -> None:
    """Any batch, none included, gives what its rows give; events and contexts broadcast."""
    bijector = case.randomized("float64")
    contexts = case.keywords("float64", batch=6)
    for joint, step, log_det, flat, shape in (
        (
            tb.forward_and_log_det,
            bijector.forward,
            bijector.forward_log_det_jacobian,
            case.latent_events("float64", batch=6),
            case.of_latent,
        ),
        (
            tb.inverse_and_log_det,
            bijector.inverse,
            bijector.inverse_log_det_jacobian,
            case.events("float64", batch=6),
            case.event_shape,
        ),
    ):
        ndims = len(shape)

        context = contexts.get("context")

        # In a graph: without one a root search takes minutes.
        @tf.function
        def run(value, context, batch, joint=joint, ndims=ndims):
            result, total = joint(bijector, tf.identity(value), ndims, context)
            return result, total + tf.zeros(batch, total.dtype)

        def check(value, context, batch, right, run=run, joint=joint):
            got = run(value, context, batch)
            event = right[0].shape[1:]
            for what, a, b, inner in zip(
                ("value", "log-det"), got, right, ([*batch, *event], batch), strict=True
            ):
                _close(a, tf.reshape(b, inner), 1e-6, f"{joint.__name__}, batch {batch}, {what}")
            return got

        expected = run(flat, context, [6])
        for batch in ([], [2, 3]):
            n = int(np.prod(batch))
            own = None if context is None else context[:n]
            own = None if own is None else tf.reshape(own, [*batch, *context.shape[1:]])
            right = [part[:n] for part in expected]
            got = check(tf.reshape(flat[:n], [*batch, *shape]), own, batch, right)
            if batch == []:
                keywords = {} if own is None else {"context": own}
                value = tf.identity(flat[0])
                result = tf.function(step)(value, **keywords)
                _close(result, got[0], 1e-6, "TFP's value, no batch")
                other = tf.function(log_det)(value, event_ndims=ndims, **keywords)
                _close(other, got[1], 1e-6, "TFP's log-det, no batch")
        if context is not None:
            check(
                tf.reshape(flat, [2, 3, *shape]),
                context[0],
                [2, 3],
                run(flat, tf.repeat(context[:1], 6, 0), [6]),
            )
            check(flat[0], context, [6], run(tf.repeat(flat[:1], 6, 0), context, [6]))


CHECKS = {
    check.__name__.removeprefix("check_"): check
    for check in (
        check_round_trip,
        check_log_det,
        check_gradients,
        check_tracking,
        check_save_and_restore,
        check_compiled,
        check_float32_extremes,
        check_context,
        check_batch_shapes,
    )
}

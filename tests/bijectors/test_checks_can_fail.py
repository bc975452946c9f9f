"""A broken bijector of each kind fails the harness, by the check that should see it."""

import keras
import pytest
import tensorflow as tf

from tests.bijector_checks import CHECKS, Case
from tfflows import bijectors as tb
from tfflows import networks


class _WrongInverse(tb.ActNorm):
    def _inverse_and_log_det(self, y, context):
        x, log_det = super()._inverse_and_log_det(y, context)
        return x + 0.01, log_det


class _WrongLogDet(tb.ActNorm):
    def _inverse_and_log_det(self, y, context):
        x, log_det = super()._inverse_and_log_det(y, context)
        return x, log_det + 0.01


class _WrongForwardLogDet(tb.ActNorm):
    def _forward_and_log_det(self, x, context):
        y, log_det = super()._forward_and_log_det(x, context)
        return y, -log_det


class _Scale(tb.Bijector):
    """A scale held in a way that one reader or another does not see."""

    def __init__(self, scale):
        super().__init__(forward_min_event_ndims=1, name="scale")
        self._scale = scale

    def _forward_and_log_det(self, x, context):
        scale = self._scale()
        return x * tf.exp(scale), tf.reduce_sum(scale) + tf.zeros_like(x[..., 0])

    def _inverse_and_log_det(self, y, context):
        scale = self._scale()
        return y * tf.exp(-scale), tf.zeros_like(y[..., 0]) - tf.reduce_sum(scale)


def _variable_in_closure(dtype):
    scale = tf.Variable(tf.zeros([5], dtype))
    return _Scale(lambda: tf.convert_to_tensor(scale))


class _LayerOnlyOnKeras(_Scale):
    """Holds a Keras layer, but does not store its raw variables: `tf.Module` misses them."""

    def __init__(self, dtype):
        self.layer = keras.layers.Dense(5, use_bias=False, dtype=dtype)
        self.layer.build((1, 1))
        super().__init__(lambda: self.layer(tf.ones([1, 1], dtype))[0])


class _IgnoresContext(tb.Coupling):
    def _elementwise(self, kept, context):
        return super()._elementwise(kept, None if context is None else tf.zeros_like(context))


class _DropsContext(tb.ActNorm):
    """Says that it takes no context and swallows one."""

    def inverse_and_log_det(self, y, context=None):
        return self._inverse_and_log_det(y, None)


class _BreaksOnUnknownBatch(tb.ActNorm):
    def _inverse_and_log_det(self, y, context):
        x, log_det = super()._inverse_and_log_det(y, context)
        return x + tf.fill([int(y.shape[0] or 7), 5], 1e-9), log_det


class _OverflowsFar(tb.ActNorm):
    def _inverse_and_log_det(self, y, context):
        x, log_det = super()._inverse_and_log_det(y, context)
        return tf.where(tf.abs(x) < 30.0, x, tf.math.log(tf.exp(x))), log_det


class _DeadVariable(tb.ActNorm):
    def __init__(self, *args):
        super().__init__(*args)
        self.dead = tf.Variable(tf.zeros([5]))


def _ignores_context(dtype):
    return _IgnoresContext(
        [True, False] * 2 + [True],
        tb.Affine(),
        lambda outputs: networks.MLP(outputs, (8,), dtype=dtype),
        (3,),
    )


@pytest.mark.parametrize(
    ("build", "check", "context_shape"),
    [
        (lambda dtype: _WrongInverse(5, dtype), "round_trip", None),
        (lambda dtype: _WrongLogDet(5, dtype), "log_det", None),
        (lambda dtype: _WrongForwardLogDet(5, dtype), "log_det", None),
        (_variable_in_closure, "tracking", None),
        (_LayerOnlyOnKeras, "tracking", None),
        (_ignores_context, "context", (3,)),
        (lambda dtype: _DropsContext(5, dtype), "context", None),
        (lambda dtype: _BreaksOnUnknownBatch(5, dtype), "compiled", None),
        (lambda dtype: _OverflowsFar(5, dtype), "float32_extremes", None),
        (lambda dtype: _DeadVariable(5, dtype), "gradients", None),
    ],
)
def test_broken_bijector_fails(build, check, context_shape):
    case = Case(build, context_shape=context_shape)
    with pytest.raises((AssertionError, tf.errors.OpError, ValueError)):
        CHECKS[check](case)


def test_unrestored_variable_fails():
    """A variable that is created anew at each build, and not saved, does not come back."""

    class Unsaved(_Scale):
        def __init__(self, dtype):
            variable = tf.Variable(tf.random.normal([5], dtype=dtype))
            super().__init__(lambda: tf.convert_to_tensor(variable))

    with pytest.raises((AssertionError, ValueError)):
        CHECKS["save_and_restore"](Case(Unsaved))

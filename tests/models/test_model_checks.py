"""A broken model of each kind fails the harness, by the check that should see it."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import small_integers
from tests.model_checks import CHECKS
from tests.model_registry import Entry
from tests.small_integers import Categorical
from tfflows import models

# The sound models that the broken ones derive from.
INTEGERS = Entry(
    lambda family=Categorical: family((2, 3, 2), levels=8, sharpness=2.0), small_integers.integers
)
FLOW = Entry(lambda family=models.AffineFlow: family(2))
CONDITIONAL = Entry(
    lambda family=models.RealNVP: family(2, context_dim=1, layers=2, hidden_units=(4,))
)


def other(method, given=lambda *arguments: arguments, result=lambda value: value):
    """Of a class, one whose method gets other arguments or returns another value."""

    def derive(base):
        def run(self, *arguments):
            return result(getattr(base, method)(self, *given(*arguments)))

        made = type(f"Other{base.__name__}", (base,), {method: run})
        return keras.saving.register_keras_serializable("tests")(made)

    return derive


def _from_its_first_row(seed, *more):
    return seed - seed[:1] * [[0, 1]], *more


def _with_log_prob(change):
    return lambda drawn: (drawn[0], change(drawn[1]))


def _in_python(drawn):
    return tf.numpy_function(lambda x: x, [drawn[0]], tf.uint8), drawn[1]


def _another_key_in_graphs(seed, *more):
    return seed + tf.constant([0 if tf.executing_eagerly() else 1, 0], tf.int64), *more


def draws_uninitialized(base):
    class Broken(base):
        def _check_draw(self, *arguments):
            self._known_initialized = True
            return super()._check_draw(*arguments)

    return Broken


def always_initialized(base):
    return type("Broken", (base,), {"initialized": True})


def takes_a_number_of_draws(base):
    return type("Broken", (base,), {"samples": 1})


def made_at_random(base):
    class Broken(base):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.logits.assign(np.random.default_rng().normal(size=self.logits.shape))

    return Broken


def with_a_dead_variable(base):
    class Broken(base):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.dead = self.add_weight(shape=(3,), initializer="zeros", name="dead")

    return Broken


def rounding_with_its_networks(base):
    class Broken(base):
        def __init__(self, *args, **kwargs):
            self._policy = keras.config.dtype_policy().compute_dtype
            super().__init__(*args, **kwargs)

        def log_prob(self, x, context=None):
            return tf.cast(super().log_prob(x, context), self._policy)

    return Broken


def with_state_that_is_not_saved(base):
    @keras.saving.register_keras_serializable("tests")
    class Broken(base):
        factor = 0.0

        def initialize(self, x, context=None):
            self.factor = 0.1

        def log_prob_fn(self, x, context=None):
            return super().log_prob_fn(x, context) + self.factor

    return Broken


def with_state_in_a_trace(base):
    """Like dropout that is switched off after the first trace."""

    class Broken(base):
        traces = 0

        def log_prob_fn(self, x, context=None):
            self.traces += 1
            return super().log_prob_fn(x, context) + 0.1 * self.traces

    return Broken


SCORE, DRAW = "log_prob_fn", "draw_and_log_prob"
BROKEN = {
    "a column": (INTEGERS, other(SCORE, result=lambda v: v[:, None]), "shapes", "log_prob of 12 r"),
    "nats": (INTEGERS, other("bits_per_dim", result=lambda v: 9 * v), "shapes", "bits_per_dim"),
    "ignores start": (
        *(INTEGERS, other(DRAW, given=_from_its_first_row)),
        *("numbered_draws", "drawn without the others"),
    ),
    "ignores the seed": (
        *(INTEGERS, other(DRAW, given=lambda seed, *more: (seed * [[0, 1]], *more))),
        *("numbered_draws", "another seed draws the same"),
    ),
    "scores other draws": (
        *(INTEGERS, other(DRAW, result=_with_log_prob(lambda v: v + 0.01))),
        *("numbered_draws", "log_prob of draws"),
    ),
    "depends on the batch": (
        *(INTEGERS, other(SCORE, result=lambda v: v - 0.01 * tf.reduce_mean(v))),
        *("batches", "row 0 alone"),
    ),
    "scores NaN": (
        *(INTEGERS, other(SCORE, given=lambda x, *c: (tf.where(tf.math.is_nan(x), 0.0, x), *c))),
        *("strange_rows", "of a row that holds"),
    ),
    "scores fractions": (
        *(INTEGERS, other(SCORE, given=lambda x, *c: (tf.floor(x), *c))),
        *("strange_rows", "of a row that holds"),
    ),
    "infinity is NaN": (
        *(FLOW, other(SCORE, result=lambda v: tf.where(tf.math.is_inf(v), tf.constant(np.nan), v))),
        *("strange_rows", "log_prob is nan of a row that holds"),
    ),
    "spoils its neighbours": (
        *(FLOW, other(SCORE, result=lambda v: v + 0.0 * tf.reduce_sum(v))),
        *("strange_rows", "a row beside strange ones"),
    ),
    "scores without context": (
        *(CONDITIONAL, other(SCORE, given=lambda x, c: (x, tf.zeros_like(c)))),
        *("context", "log_prob ignores the context"),
    ),
    "draws without context": (
        *(CONDITIONAL, other("draw", given=lambda seed, t, c: (seed, t, tf.zeros_like(c)))),
        *("context", "sample ignores the context"),
    ),
    "takes any context": (
        *(FLOW, other("_check_context", given=lambda c, *rows: (None, *rows))),
        *("context", "accepted, .* context: the model takes no context"),
    ),
    "no inverse": (
        *(FLOW, other("decode_fn", result=lambda x: x + 0.01)),
        *("latents", "decode.encode.x"),
    ),
    "saves another argument": (
        *(INTEGERS, other("get_config", result=lambda config: config | {"sharpness": 1.0})),
        *("saving", ", .keras"),
    ),
    "loses an argument": (
        *(INTEGERS, other("get_config", result=lambda c: {k: c[k] for k in ("shape", "levels")})),
        *("config", "lost: .*'sharpness'"),
    ),
    "made at random": (INTEGERS, made_at_random, "config", "a seed's"),
    "takes any temperature": (
        *(
            INTEGERS,
            other("_check_draw", given=lambda n, seed, start, t, c: (n, seed, start, 1, c)),
        ),
        *("errors", "accepted, .* temperature: "),
    ),
    "takes any row": (
        *(FLOW, other("_check_spec", given=lambda name, x: (name, tf.zeros([1, 2])))),
        *("errors", "x: expected shape"),
    ),
    "draws uninitialized": (
        *(CONDITIONAL, draws_uninitialized),
        *("errors", "accepted, .* sample: "),
    ),
    "always initialized": (
        *(CONDITIONAL, always_initialized),
        *("errors", "the model is not initialised: "),
    ),
    "rounds latents": (
        *(FLOW, other("encode_fn", result=lambda z: tf.cast(tf.cast(z, tf.float16), tf.float32))),
        *("latents", "no more digits than float16"),
    ),
    "takes a number of draws": (
        *(INTEGERS, takes_a_number_of_draws),
        *("errors", "accepted, .* samples: "),
    ),
    "other in graphs": (
        *(INTEGERS, other(DRAW, given=_another_key_in_graphs)),
        *("compiled", "draws, graph"),
    ),
    "not for XLA": (INTEGERS, other(DRAW, result=_in_python), "compiled", "PyFunc"),
    "unsaved": (INTEGERS, with_state_that_is_not_saved, "saving", "log_prob, .keras"),
    "rounds": (INTEGERS, rounding_with_its_networks, "mixed_precision", "log_prob is bfloat16"),
    "dead variable": (INTEGERS, with_a_dead_variable, "training", "dead has not moved"),
    "infinite loss": (
        *(INTEGERS, other("row_losses", result=lambda v: (v[0] / 0.0, v[1]))),
        *("training", "the loss of a step"),
    ),
    "state in a trace": (INTEGERS, with_state_in_a_trace, "export", "the export's log_prob"),
}


@functools.cache
def sound(entry):
    return entry.prepared()


@pytest.mark.parametrize("name", BROKEN)
def test_broken_model_fails(name):
    entry, derive, check, message = BROKEN[name]
    CHECKS[check](*sound(entry))
    base = entry.build.__defaults__[0]
    case = Entry(lambda: entry.build(derive(base)), entry.rows).prepared()
    with pytest.raises((AssertionError, tf.errors.OpError), match=message):
        CHECKS[check](*case)


def test_each_check_has_a_model_that_fails_it():
    assert {check for _, _, check, _ in BROKEN.values()} == set(CHECKS)

"""What every model must pass; `tests/model_registry.py` lists those that do.

Each check takes an initialised model, rows of its data inside of its support, and their contexts or
None, and raises AssertionError. None of them changes the model. They share its own traced
functions, as tracing takes longer than what they compute.
"""

from __future__ import annotations

import inspect
import json
import os
import re
import tempfile

import keras
import numpy as np
import tensorflow as tf

import export
from tfflows.models.flows.family import dtype_policy
from tfflows.random import row_seeds
from zoo import cli


def is_of_integers(model) -> bool:
    """Whether events are integers, of which a rounding error may choose the next one."""
    return hasattr(model, "bits_per_dim")


def some(context, rows):
    """These rows of the contexts; None of none."""
    return None if context is None else context[rows]


def as_floats(x):
    """Rows as a graph function takes them."""
    return tf.constant(x if x.dtype == np.float64 else x.astype(np.float32))


def copy_of(model):
    """A model of the same config, which goes through JSON, and with the same weights."""
    copy = type(model).from_config(json.loads(json.dumps(model.get_config())))
    copy.set_weights(model.get_weights())
    return copy


def close(found, expected, what, tolerance=1e-4):
    """Asserts equality up to the tolerance, relative to 1 + the value."""
    np.testing.assert_allclose(
        np.asarray(found), np.asarray(expected), rtol=tolerance, atol=tolerance, err_msg=what
    )


def same_draws(found, expected, what):
    """Asserts equality: of floats up to rounding, of bytes but for one step in one of fifty."""
    found, expected = np.asarray(found), np.asarray(expected)
    if expected.dtype != np.uint8:
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5, err_msg=what)
        return
    assert found.dtype == np.uint8 and found.shape == expected.shape, what
    gaps = np.abs(found.astype(int) - expected)
    assert gaps.max(initial=0) <= 8 and np.sum(gaps > 0) <= 0.02 * gaps.size, f"{what}: {gaps}"


def refused(call, message):
    """Asserts that the call raises a ValueError of one line that begins with the message."""
    try:
        call()
    except ValueError as error:
        assert re.match(message, str(error)), f"expected {message!r}, got {error}"
        assert "\n" not in str(error), f"an error of more than one line: {error}"
        return
    raise AssertionError(f"accepted, where an error was expected: {message}")


def check_shapes(model, x, context):
    """Shapes and dtypes are as documented, of no rows too; bits per dimension are of nats."""
    for n in (len(x), 0):
        rows, own = x[:n], some(context, slice(n))
        score, event = ((n,), tf.float32), ((n, *model.event_shape), model.event_dtype)
        drawn, drawn_log_prob = model.sample_and_log_prob(n, seed=1, context=own)
        found = [
            ("log_prob", model.log_prob(rows, own), score),
            ("sample", model.sample(n, seed=1, context=own), event),
            ("sample_and_log_prob", drawn, event),
            ("sample_and_log_prob", drawn_log_prob, score),
        ]
        if model.has_latents:
            z = model.encode(rows, own)
            found.append(("encode", z, ((n, *model.latent_shape), tf.float32)))
            found.append(("decode", model.decode(z, own), event))
        for name, value, expected in found:
            assert (tuple(value.shape), value.dtype) == expected, f"{name} of {n} rows"
    log_prob = model.log_prob(x, context).numpy()
    assert np.isfinite(log_prob).all(), f"the registry's rows are outside: {log_prob}"
    if is_of_integers(model):
        bits = -log_prob / np.prod(model.event_shape) / np.log(2.0)
        close(model.bits_per_dim(x, context), bits, "bits_per_dim", 1e-6)


def check_numbered_draws(model, x, context):
    """Row i of a sample depends on (seed, start + i), and its context, alone."""
    context = some(context, slice(6))
    whole = model.sample(6, seed=10, context=context).numpy()
    for start, stop in ((2, 3), (1, 5)):
        rows = slice(start, stop)
        number = np.int64(start)
        part = model.sample(stop - start, np.int32(10), number, context=some(context, rows))
        same_draws(part, whole[rows], f"draws {start} to {stop - 1}, drawn without the others")
    other = model.sample(6, seed=11, context=context).numpy()
    axes = tuple(range(1, whole.ndim))
    assert np.any(other != whole, axes).all(), "another seed draws the same"
    assert np.any(whole[1:] != whole[:-1], axes).all(), "two rows of a sample are the same"
    drawn, log_prob = model.sample_and_log_prob(6, seed=10, context=context)
    same_draws(drawn, whole, "sample_and_log_prob's draws")
    np.testing.assert_allclose(
        model.log_prob(whole, context), log_prob, rtol=1e-5, atol=2e-3, err_msg="log_prob of draws"
    )


def check_batches(model, x, context):
    """A row's log-probability is the same alone, in another order, and in another batch."""
    whole = model.log_prob(x, context).numpy()
    np.testing.assert_array_equal(model.log_prob(x, context), whole, "scored again")
    orders = {f"row {i} alone": [i] for i in range(3)}
    orders["in another order"] = np.random.default_rng(0).permutation(len(x))
    orders["twice in a batch"] = [*range(len(x))] * 2
    for what, rows in orders.items():
        close(model.log_prob(x[rows], some(context, rows)), whole[rows], what)


def check_compiled(model, x, context):
    """Eager, in a graph and under XLA, draws and log-probabilities are the same."""
    n, start = 3, 2**40
    x, context = x[:n], some(context, slice(n))

    def run(seed, rows, *contexts):
        return model.draw(seed, tf.ones([n]), *contexts), model.log_prob_fn(rows, *contexts)

    arguments = [row_seeds(n, 3, start), as_floats(x)]
    if context is not None:
        arguments.append(tf.constant(context))
    draws, log_prob = run(*arguments)
    graph = model.sample(n, 3, start, context=context), model.log_prob(x, context)
    for how, got in (
        ("graph", graph),
        ("XLA", tf.function(run, jit_compile=True, autograph=False)(*arguments)),
    ):
        same_draws(got[0], draws, f"draws, {how}")
        close(got[1], log_prob, f"log_prob, {how}")


def check_strange_rows(model, x, context):
    """Rows with NaN are NaN; those out of range -inf; far ones improbable; the others unmoved."""
    wide = as_floats(x[:1]).numpy()
    values = {"nan": "nan", "inf": "-inf", "-inf": "-inf"}
    values |= {"1e30": "-inf", "3e4": "-inf or far below"}
    if is_of_integers(model):
        values |= dict.fromkeys(("-1", str(model.levels), "0.5", "3e4", "1e30"), "-inf")
    rows, expected = [wide], ["as it was"]
    for value, kind in values.items():
        for place in {0, wide.size - 1}:
            row = wide.copy()
            row.flat[place] = float(value)
            rows.append(row)
            expected.append(kind)
    both = np.full_like(wide, np.inf)
    both.flat[-1] = np.nan
    rows, expected = np.concatenate([*rows, both, wide]), [*expected, "nan", "as it was"]
    contexts = None if context is None else np.repeat(context[:1], len(rows), 0)
    log_prob = model.log_prob(rows, contexts).numpy()
    alone = model.log_prob(x[:1], some(context, slice(1))).numpy()[0]
    for row, value, kind in zip(rows, log_prob, expected, strict=True):
        found = "nan" if np.isnan(value) else "-inf" if np.isneginf(value) else "finite"
        if found == "finite" and value < alone - 10.0:
            found = "far below"
        if kind == "as it was":
            close(value, alone, "a row beside strange ones")
        else:
            assert found in kind.split(" or "), f"log_prob is {value} of a row that holds {row}"
    if context is not None:
        contexts[1:] = np.nan
        log_prob = model.log_prob(rows, contexts).numpy()
        assert np.isnan(log_prob[1:]).all() and np.isfinite(log_prob[0]), "NaN in the context"


def check_context(model, x, context):
    """A context is asked for by name, is refused where there is none, and matters row by row."""
    if model.context_shape is None:
        for call in (
            lambda: model.log_prob(x, np.zeros([len(x), 2])),
            lambda: model.sample(2, context=np.zeros([2, 2])),
        ):
            refused(call, "context: the model takes no context")
        return
    n = len(x)
    wide = np.concatenate([context, context], -1)
    for given, message in (
        (None, r"context: the model expects shape \[batch, "),
        (wide, "context: expected shape"),
        (context[:1], f"context: expected shape .* with a batch of {n}"),
        (context[: n - 1], f"context: expected shape .* with a batch of {n}"),
    ):
        refused(lambda given=given: model.log_prob(x, given), message)
        refused(lambda given=given: model.sample(n, context=given), message)
    # One row's context is another's from here on.
    other = context.copy()
    other[0] = context[np.any(context != context[0], -1)][0]
    scores = [model.log_prob(x, c).numpy() for c in (context, other)]
    draws = [model.sample(n, seed=0, context=c).numpy() for c in (context, other)]
    assert np.abs(scores[0][0] - scores[1][0]) > 1e-4, "log_prob ignores the context"
    assert np.any(draws[0][0] != draws[1][0]), "sample ignores the context"
    close(scores[1][1:], scores[0][1:], "log_prob of rows whose context is the same")
    same_draws(draws[1][1:], draws[0][1:], "draws whose context is the same")


def _decodable(model, x, context):
    """Rows of integers as they are; else draws, whose latents no base distribution cuts off."""
    return x if is_of_integers(model) else model.sample(len(x), seed=0, context=context).numpy()


def _check_decoded(model, x, context, one_off=0.0):
    """Asserts that `decode(encode(x))` is `x`: integers exactly, but a share `one_off` of them."""
    back = model.decode(model.encode(x, context), context)
    if is_of_integers(model):
        gap = np.abs(np.subtract(back, model.seen(x), dtype=np.int64))
        assert gap.max() <= (one_off > 0), f"decode(encode(x)) is off by {gap.max()} levels"
        assert np.mean(gap > 0) <= one_off, f"{np.mean(gap > 0):.2%} of decode(encode(x)) differ"
    else:
        close(back, x, "decode(encode(x))", 1e-3)


def check_latents(model, x, context):
    """`decode(encode(x))` is `x`, and `interpolate` ends where it should."""
    if not model.has_latents:
        return
    x = _decodable(model, x, context)
    _check_decoded(model, x, context)
    z = model.encode(x, context).numpy()
    assert np.any(z != z.astype(np.float16)), "the latents have no more digits than float16"
    line = model.interpolate(x[0], x[1], 3, context=some(context, slice(2))).numpy()
    ends = model.seen(x[:2]) if is_of_integers(model) else x[:2]
    close(line[[0, -1]], ends, "the ends of interpolate", 1e-3)
    line = model.interpolate(x[0], x[1], 2, context=some(context, 0)).numpy()
    close(line[0], ends[0], "the start of interpolate with one context", 1e-3)


def check_saving(model, x, context):
    """A `.keras` file, a weights file and a clone bring back the same model."""
    own = some(context, slice(3))
    with tempfile.TemporaryDirectory() as folder:
        model.save(os.path.join(folder, "m.keras"))
        model.save_weights(os.path.join(folder, "m.weights.h5"))
        loaded = keras.saving.load_model(os.path.join(folder, "m.keras"))
        by_weights = type(model).from_config(json.loads(json.dumps(model.get_config())))
        by_weights.load_weights(os.path.join(folder, "m.weights.h5"))
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    close(loaded.log_prob(x, context), model.log_prob(x, context), "log_prob, .keras", 1e-5)
    draws, log_prob = model.sample_and_log_prob(3, seed=1, context=own)
    for how, again in ((".keras", loaded), (".weights.h5", by_weights), ("clone", clone)):
        assert type(again) is type(model), f"{how}: {type(again).__name__}"
        assert again.initialized, f"{how}: it is not initialised"
        again_draws, again_log_prob = again.sample_and_log_prob(3, seed=1, context=own)
        same_draws(again_draws, draws, f"draws, {how}")
        close(again_log_prob, log_prob, f"log_prob of draws, {how}", 1e-5)


def check_config(model, x, context):
    """The config holds every argument as plain values, and makes the same variables again."""
    config = json.loads(json.dumps(model.get_config()))
    parameters = inspect.signature(type(model).__init__).parameters.values()
    named = {p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}
    lost = named - {"self", "trainable"} - set(config)
    assert not lost, f"arguments that the config has lost: {sorted(lost)}"
    one, other = (type(model).from_config(config) for _ in range(2))
    assert json.loads(json.dumps(one.get_config())) == config, "the config of the config's model"
    for mine, first, second in zip(model.weights, one.weights, other.weights, strict=True):
        found = (first.name, first.shape, first.dtype, first.trainable)
        assert found == (mine.name, mine.shape, mine.dtype, mine.trainable), f"{found}"
        np.testing.assert_array_equal(first.numpy(), second.numpy(), f"a seed's {first.path}")


def _losses(model, x, context, steps, **compiled):
    """The losses of so many steps of training, each on all rows."""
    model.compile(keras.optimizers.Adam(1e-2), **compiled)
    data = tf.data.Dataset.from_tensors(x if context is None else (x, context)).repeat()
    return model.fit(data, steps_per_epoch=1, epochs=steps, verbose=0).history["loss"]


def check_mixed_precision(model, x, context):
    """Networks compute in bfloat16, the rest in float32: near the same, and it trains."""
    config = {k: v for k, v in model.get_config().items() if k != "precision"}
    with dtype_policy("mixed_bfloat16"):
        mixed = type(model).from_config(config)
    assert mixed.get_config().get("precision", "mixed_bfloat16") == "mixed_bfloat16"
    mixed.set_weights(model.get_weights())
    log_prob = mixed.log_prob(x, context)
    assert log_prob.dtype == tf.float32, f"log_prob is {log_prob.dtype.name}"
    gap = np.abs(log_prob - model.log_prob(x, context)).max()
    # 0.05 bits a dimension, or the 0.3 nats that two sharp dimensions may lose.
    assert gap <= max(0.3, 0.035 * np.prod(model.event_shape)), f"log_prob is off by {gap} nats"
    if model.has_latents:
        # A 16-bit network rounds its inputs, and those of the inverse are not the same to a bit.
        _check_decoded(mixed, _decodable(model, x, context), context, one_off=0.01)
    assert np.isfinite(_losses(mixed, x, context, 2, run_eagerly=True)).all(), "the loss of a step"


def check_training(model, x, context):
    """One step has a finite loss and moves every trainable variable."""
    copy = copy_of(model)
    before = [v.numpy() for v in copy.trainable_variables]
    assert np.isfinite(_losses(copy, x, context, 1, jit_compile=False)).all(), "the loss of a step"
    for variable, old in zip(copy.trainable_variables, before, strict=True):
        assert np.isfinite(variable.numpy()).all(), f"{variable.path} is not finite"
        assert np.any(variable.numpy() != old), f"{variable.path} has not moved"


def check_export(model, x, context):
    """The export's signatures return what the model returns."""
    n = 4
    x, own = x[:n].astype(model.event_dtype.as_numpy_dtype), some(context, slice(n))
    given = {"x": x, "seed": row_seeds(n, 10, 5), "temperature": np.ones(n, np.float32)}
    draws = model.sample(n, seed=10, start=5, context=own)
    expected = {"log_prob": model.log_prob(x, own), "sample": draws}
    if own is not None:
        given["context"] = own
    if model.has_latents:
        given["z"] = model.encode(x, own)
        expected |= {"encode": given["z"], "decode": model.decode(given["z"], own)}
    with tempfile.TemporaryDirectory() as folder:
        signatures = tf.saved_model.load(export.save(model, folder)).signatures
        assert set(signatures) == {*expected, "serving_default", *model.extra_signatures()}
        for name, value in expected.items():
            names = signatures[name].structured_input_signature[1]
            (served,) = signatures[name](**{k: tf.constant(given[k]) for k in names}).values()
            equal = same_draws if name in ("sample", "decode") else close
            equal(served, value, f"the export's {name}")


def check_errors(model, x, context):
    """Arguments that make no sense are refused by name, in one line."""
    own, words = some(context, slice(2)), np.full(x.shape, "a")

    def sample(n=2, **arguments):
        return lambda: model.sample(n, context=own, **arguments)

    wide = np.concatenate([x, x[..., :1]], -1)
    refused(lambda: model.log_prob(wide, context), r"x: expected shape \[batch, ")
    refused(lambda: model.log_prob(x[0], context), r"x: expected shape \[batch, ")
    refused(lambda: model.log_prob(words, context), "x: expected numbers, got dtype string")
    refused(sample(-1), "n: expected a count, got -1")
    refused(sample(2.5), "n: expected a count, got 2.5")
    refused(sample(start=-1), "start: expected a whole number from 0")
    refused(sample(start=2**63 - 1), r"start: expected start \+ n of at most 2\*\*63")
    for seed in (1.5, 2**63):
        refused(sample(seed=seed), "seed: expected a whole number")
    for temperature in (np.float32(-1), float("nan"), "warm"):
        refused(sample(temperature=temperature), "temperature: expected a number >= 0, got ")
    if not model.supports_temperature:
        refused(sample(temperature=np.float32(0.5)), "temperature: expected 1, as ")
    cli.set_samples(model, None)
    if model.samples is None:
        refused(lambda: cli.set_samples(model, 3), "samples: log_prob of .* is exact")
    else:
        refused(lambda: cli.set_samples(model, 0), "samples: expected a whole number from 1")
    if model.has_latents:
        z = np.zeros([2, *model.latent_shape[:-1], model.latent_shape[-1] + 1])
        refused(lambda: model.decode(z, own), r"z: expected shape \[batch, ")
    fresh = type(model).from_config(model.get_config())
    if not fresh.initialized:
        refused(lambda: fresh.sample(2, context=own), "sample: .*; call (initialize|estimate)")
        return
    for norm in getattr(fresh, "_norms", ()):
        assert norm.initialized.numpy(), f"the model is not initialised: {norm.name} is not"


# What takes a second or more of a model, as it builds, traces or compiles another.
EXPENSIVE = {
    "compiled": check_compiled,
    "saving": check_saving,
    "mixed_precision": check_mixed_precision,
    "training": check_training,
    "export": check_export,
}
CHEAP = {
    "shapes": check_shapes,
    "numbered_draws": check_numbered_draws,
    "batches": check_batches,
    "strange_rows": check_strange_rows,
    "context": check_context,
    "latents": check_latents,
    "config": check_config,
    "errors": check_errors,
}
CHECKS = CHEAP | EXPENSIVE

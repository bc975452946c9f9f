"""The exports in a C++ program: the loader that TF Serving uses, XLA off, its batching rules."""

import os
import pathlib
import shutil
import subprocess

import numpy as np
import pytest
import tensorflow as tf

from tests.export.conftest import TRAINED, once

SOURCE = pathlib.Path(__file__).parent / "loader.cc"
LIBRARIES = ("libtensorflow_cc.so.2", "libtensorflow_framework.so.2")
KEY = 10
SEED = tf.TensorSpec([None, 2], tf.int64, name="seed")


def why_not() -> str | None:
    """Why the program cannot be built here, if it cannot."""
    if shutil.which("g++") is None:
        return "needs a C++ compiler: g++ is not installed"
    include, lib = tf.sysconfig.get_include(), tf.sysconfig.get_lib()
    if not os.path.exists(os.path.join(include, "tensorflow/cc/saved_model/loader.h")):
        return "this build of TensorFlow comes without C++ headers"
    missing = [name for name in LIBRARIES if not os.path.exists(os.path.join(lib, name))]
    return f"this build of TensorFlow comes without {missing[0]}" if missing else None


pytestmark = pytest.mark.skipif(why_not() is not None, reason=why_not() or "")


@pytest.fixture(scope="session")
def loader(tmp_path_factory):
    """The program, compiled once, also where several workers share the tests."""
    with once(tmp_path_factory, "loader") as program:
        if not program.exists():
            lib = tf.sysconfig.get_lib()
            # --no-as-needed: the session factories register themselves, no symbol asks for them.
            subprocess.run(
                ["g++", "-w", "-O0", *tf.sysconfig.get_compile_flags(), SOURCE, "-o", program]
                + [f"-L{lib}", "-Wl,--no-as-needed", *(f"-l:{name}" for name in LIBRARIES)]
                + [f"-Wl,-rpath,{lib}"],
                check=True,
                timeout=300,
            )

    def run(path, tolerance=1e-4):
        command = [program, path, str(KEY), str(tolerance)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    return run


def parse(output):
    """Rows of each signature, and the largest difference between merged and separate rows."""
    rows, diffs = {}, {}
    for line in output.splitlines():
        first, *rest = line.split()
        if first == "diff":
            diffs[rest[0]] = float(rest[1])
        else:
            rows.setdefault(first, []).append([float(value) for value in rest[1:]])
    return {name: np.array(value, np.float32) for name, value in rows.items()}, diffs


def error(done):
    assert done.returncode == 1, done.stdout
    return done.stderr.strip().splitlines()[-1]


@pytest.mark.slow
def test_models_of_images_that_come_with_the_zoo(loader, image_model):
    check_program(loader, image_model, TRAINED)


def test_the_program_returns_what_the_model_returns(loader, exported):
    check_program(loader, exported)


def check_program(loader, exported, tolerance=1e-4):
    """Compares the program's rows with the model's."""
    done = loader(exported.path, tolerance)
    assert done.returncode == 0, done.stderr[-2000:]
    rows, diffs = parse(done.stdout)
    model = exported.model
    context = None
    if model.context_shape is not None:
        size = model.context_shape[0]
        context = np.eye(size, dtype=np.float32)[np.arange(12) % size]
    samples = np.asarray(model.sample(12, seed=KEY, context=context), np.float32)
    # Of a number at a step between two bytes, rounding may choose the other.
    step = 1.0 if model.event_dtype == tf.uint8 else 0.0
    drawn = rows["sample"].reshape(samples.shape)
    np.testing.assert_allclose(drawn, samples, rtol=0, atol=1e-5 + step)
    log_prob = model.log_prob(drawn, context)
    np.testing.assert_allclose(rows["log_prob"][:, 0], log_prob, rtol=tolerance, atol=tolerance)
    np.testing.assert_array_equal(rows["serving_default"], rows["log_prob"])
    if "decode" in rows:
        latents = np.asarray(model.encode(drawn, context))
        encoded = rows["encode"].reshape(latents.shape)
        np.testing.assert_allclose(encoded, latents, rtol=tolerance, atol=tolerance)
        decoded = np.asarray(model.decode(encoded, context), np.float32)
        found = rows["decode"].reshape(decoded.shape)
        np.testing.assert_allclose(found, decoded, rtol=tolerance, atol=tolerance + step)
    if "decode_0" in rows:  # of a codec, whose integers are exact
        np.testing.assert_array_equal(rows["decode_0"], rows["sample"])
    assert set(diffs) == set(rows) and diffs["sample"] <= 1e-5


def test_a_function_compiled_with_xla_is_refused_there_and_not_in_python(loader, save_functions):
    def sample(seed):
        return {"samples": tf.function(lambda s: tf.cast(s, tf.float32), jit_compile=True)(seed)}

    path = save_functions(sample=(sample, SEED))
    seed = tf.constant([[1, 2]], tf.int64)
    tf.saved_model.load(path).signatures["sample"](seed=seed)  # nothing to see from Python
    message = error(loader(path))
    assert message.startswith("error: run sample:") and "XLA compilation disabled" in message


@pytest.mark.parametrize(
    ("output", "specs", "expected"),
    [
        (
            lambda seed, temperature: tf.cast(seed, tf.float32) * temperature,
            [SEED, tf.TensorSpec([], tf.float32, name="temperature")],
            "input temperature: rank 0",
        ),
        (
            lambda seed: tf.cast(seed, tf.float32),
            [tf.TensorSpec([4, 2], tf.int64, name="seed")],
            "input seed: first dimension is fixed",
        ),
        (lambda seed: tf.cast(tf.shape(seed)[0], tf.float32), [SEED], "rank 0"),
        (lambda seed: tf.cast(seed, tf.bfloat16), [SEED], "REST cannot carry DT_BFLOAT16"),
        (lambda seed: tf.cast(seed[1:], tf.float32), [SEED], "12 rows in, shape [11,2] out"),
        (
            lambda seed: tf.cast(seed - seed[:1], tf.float32),
            [SEED],
            "merged and separate requests differ in sample",
        ),
    ],
    ids=["scalar input", "fixed batch", "scalar output", "bfloat16", "rows lost", "rows mixed"],
)
def test_what_batching_would_break_is_found(loader, save_functions, output, specs, expected):
    path = save_functions(sample=(lambda *inputs: {"samples": output(*inputs)}, *specs))
    assert expected in error(loader(path))


def test_a_folder_that_is_no_model_is_an_error(loader, tmp_path):
    assert error(loader(str(tmp_path))).startswith("error: load:")

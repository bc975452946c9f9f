"""What is served is what the model returns, wherever and in whatever batch it is computed."""

import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.export.conftest import FAMILIES, SERVED, TRAINED
from tests.marks import some

# Draws agree to this, whatever computes them; densities and latents to 1e-4 of max(1, |value|).
DRAWS = 1e-5
CLIENT = pathlib.Path(__file__).parent / "client.py"


def close(found, expected, tolerance=1e-4):
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def same_draws(found, expected, message=""):
    """Floats to rounding; bytes to one step in one of a hundred, where rounding chooses."""
    found, expected = np.asarray(found), np.asarray(expected)
    if expected.dtype != np.uint8:
        np.testing.assert_allclose(found, expected, rtol=0, atol=DRAWS, err_msg=message)
        return
    assert found.dtype == np.uint8, message
    gaps = np.abs(found.astype(int) - expected)
    assert gaps.max(initial=0) <= 1 and gaps.mean() <= 0.01, message


def run(signature, rows):
    names = signature.structured_input_signature[1]
    (value,) = signature(**{name: tf.constant(rows[name]) for name in names}).values()
    return value.numpy()


def run_elsewhere(exported_by_name, work):
    """Outputs by a process that has TensorFlow and NumPy, and nothing of this project's."""
    for name, exported in exported_by_name.items():
        (work / name).mkdir()
        (work / name / "path.txt").write_text(exported.path)
        np.savez(work / name / "inputs.npz", **exported.rows)
    done = subprocess.run(
        [sys.executable, CLIENT, work], cwd=work, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return {name: np.load(work / name / "outputs.npz") for name in exported_by_name}


@pytest.fixture(scope="module")
def elsewhere(exports, tmp_path_factory):
    """`run_elsewhere` of a family, with those that are run when it is."""
    found = {}

    def outputs(name):
        if name not in found:
            names = [n for n in FAMILIES if (n in SERVED) == (name in SERVED)]
            folder = tmp_path_factory.mktemp("client")
            found.update(run_elsewhere({n: exports(n) for n in names}, folder))
        return found[name]

    return outputs


def check_served(exported, found, n, tolerance=1e-4):
    """Compares the outputs of `n` rows with the model's."""
    model = exported.model
    first = {key: value[:n] for key, value in exported.rows.items()}
    context = first.get("context")
    temperature = first.get("temperature", np.ones(n, np.float32))
    expected = {
        "log_prob": model.log_prob(first["x"], context),
        "serving_default": model.log_prob(first["x"], context),
    }
    if "z" in first:
        expected["encode"] = model.encode(first["x"], context)
        expected["decode"] = model.decode(first["z"], context)
    outputs = {"encode": "z", "decode": "x"}
    for signature, value in expected.items():
        served = found[f"{signature}/{n}/{outputs.get(signature, 'log_prob')}"]
        if signature == "decode":
            same_draws(served, value)
        else:
            close(served, value, tolerance)
    draws = model.draw(tf.constant(first["seed"]), tf.constant(temperature), context)
    same_draws(found[f"sample/{n}/samples"], draws)


@pytest.mark.parametrize("name", some(FAMILIES, SERVED))
@pytest.mark.parametrize("n", [1, 3, 8])
def test_a_process_without_the_project_returns_what_the_model_returns(exports, elsewhere, name, n):
    check_served(exports(name), elsewhere(name), n)


@pytest.mark.slow
def test_models_of_images_that_come_with_the_zoo(image_model, tmp_path):
    (tmp_path / "client").mkdir()
    found = run_elsewhere({"model": image_model}, tmp_path / "client")["model"]
    for n in (1, 8):
        check_served(image_model, found, n, TRAINED)


@pytest.mark.parametrize("name", some(("normal", "uniform", "beta", "images"), ("normal", "beta")))
def test_eager_graph_xla_and_export_give_the_same_draws(exports, name):
    exported = exports(name)
    seed = tf.constant(exported.rows["seed"])
    ones = tf.ones([8])
    draw = exported.model.draw
    draws = {
        "eager": draw(seed, ones),
        "graph": tf.function(draw)(seed, ones),
        "xla": tf.function(draw, jit_compile=True)(seed, ones),
        "export": run(exported.signatures["sample"], {"seed": seed, "temperature": ones}),
        "sample": exported.model.sample(8, seed=10, start=5),
    }
    for where, value in draws.items():
        same_draws(value, draws["eager"], f"{name}, {where}")


def test_merged_requests_are_the_separate_ones(exported):
    for name, signature in exported.signatures.items():
        merged = run(signature, exported.rows)
        parts = [
            run(signature, {key: value[a:b] for key, value in exported.rows.items()})
            for a, b in ((0, 1), (1, 4), (4, 8))
        ]
        (same_draws if name in ("sample", "decode") else close)(np.concatenate(parts), merged)


def test_a_row_outside_of_the_support_is_minus_infinity_and_leaves_others_alone(exported):
    if exported.model.event_dtype == tf.uint8:
        pytest.skip("every byte is in the support")
    rows = {key: value[:3].copy() for key, value in exported.rows.items()}
    whole = exported.model.event_dtype.is_integer
    rows["x"][1] = 2**30 if whole else 1e30
    rows["x"][2] = -1 if whole else np.nan
    log_prob = run(exported.signatures["log_prob"], rows)
    close(log_prob[0], exported.model.log_prob(rows["x"], rows.get("context"))[0])
    assert log_prob[1] == -np.inf
    assert np.isneginf(log_prob[2]) if whole else np.isnan(log_prob[2])


def test_an_empty_request_gives_an_empty_answer(exported):
    rows = {key: value[:0] for key, value in exported.rows.items()}
    for name, signature in exported.signatures.items():
        assert len(run(signature, rows)) == 0, name

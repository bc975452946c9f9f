"""DataFrames as rows: a model takes its columns by name."""

import keras
import numpy as np
import pandas as pd
import pytest

from tfflows import models

RNG = np.random.default_rng(0)
ROWS = RNG.normal([3.0, -20.0], [1.0, 5.0], (256, 2)).astype(np.float32)
FRAME = pd.DataFrame(ROWS, columns=["a", "b"])
SWAPPED = FRAME.assign(word="text")[["word", "b", "a"]]


@pytest.fixture(scope="module")
def fitted():
    model = models.Gaussian(2)
    model.estimate(FRAME)
    return model


def test_columns_go_by_name(fitted):
    assert fitted.columns == ["a", "b"]
    expected = fitted.log_prob(ROWS)
    np.testing.assert_array_equal(fitted.log_prob(SWAPPED), expected)
    np.testing.assert_array_equal(fitted.log_prob(FRAME), expected)
    np.testing.assert_allclose(fitted.predict(SWAPPED, verbose=0), expected, rtol=1e-5)
    np.testing.assert_allclose(fitted.predict_on_batch(SWAPPED), expected, rtol=1e-5)
    np.testing.assert_array_equal(fitted.encode(SWAPPED), fitted.encode(ROWS))
    # Right, by another way: the density of independent columns, nearly.
    wrong = fitted.log_prob(ROWS[:, ::-1])
    assert np.mean(expected) > -6 and np.mean(wrong) < -20


def test_frames_without_names_go_by_position(fitted):
    np.testing.assert_array_equal(fitted.log_prob(pd.DataFrame(ROWS)), fitted.log_prob(ROWS))
    nameless = models.Gaussian(2)
    nameless.estimate(ROWS)
    assert nameless.columns is None
    np.testing.assert_array_equal(nameless.log_prob(FRAME), nameless.log_prob(ROWS))


@pytest.mark.parametrize(
    "frame, message",
    [
        (FRAME[["a"]], "x: columns: expected 'a', 'b' by name, missing 'b', got 'a'"),
        (FRAME.rename(columns={"a": "A"}), "missing 'a', got 'A', 'b'"),
        (FRAME[["a", "b", "a"]], "x: columns: expected different names, got 'a' twice"),
        (FRAME.assign(b="text"), "x: expected numbers in column 'b', got dtype"),
        (pd.DataFrame(ROWS[:, :1]), r"x: columns: expected 2 \(matched by position.*, got 1"),
    ],
)
def test_frames_that_do_not_fit(fitted, frame, message):
    with pytest.raises(ValueError, match=message):
        fitted.log_prob(frame)


def test_kinds_of_numbers(fitted):
    frame = pd.DataFrame({"b": [1, 2], "a": np.float32([0.5, 1.5])})
    expected = fitted.log_prob(np.float32([[0.5, 1], [1.5, 2]]))
    np.testing.assert_array_equal(fitted.log_prob(frame), expected)
    frame = frame.assign(b=pd.array([1, None], "Int64"))
    result = fitted.log_prob(frame).numpy()
    assert result[0] == expected[0] and np.isnan(result[1])
    frame = frame.assign(b=[True, False])
    expected = fitted.log_prob(np.float32([[0.5, 1], [1.5, 0]]))
    np.testing.assert_array_equal(fitted.log_prob(frame), expected)


def test_fit_learns_the_names_and_files_keep_them(tmp_path):
    model = models.RealNVP(2, layers=2, hidden_units=(4,), name="flow")
    model.compile(keras.optimizers.Adam(1e-2), run_eagerly=False)
    model.fit(FRAME, validation_data=(SWAPPED,), epochs=1, batch_size=64, verbose=0)
    assert model.columns == ["a", "b"]
    plain = float(model.evaluate(ROWS, verbose=0))
    assert model.evaluate(SWAPPED, verbose=0) == pytest.approx(plain, rel=1e-6)
    assert float(model.test_on_batch(SWAPPED)) == pytest.approx(plain, rel=1e-5)
    history = model.fit(
        SWAPPED, validation_data=SWAPPED, epochs=1, batch_size=64, shuffle=False, verbose=0
    )
    assert model.columns == ["a", "b"]  # by name, not learnt anew
    now = float(model.evaluate(ROWS, verbose=0))
    assert history.history["val_loss"][0] == pytest.approx(now, rel=1e-5)
    model.save(tmp_path / "flow.keras")
    again = keras.saving.load_model(tmp_path / "flow.keras")
    assert again.columns == ["a", "b"]
    np.testing.assert_allclose(again.log_prob(SWAPPED), model.log_prob(ROWS), rtol=1e-6)
    # A model that knows no names writes none.
    assert "columns" not in models.RealNVP(2).get_config()


def test_a_model_starts_from_columns_by_name():
    """Of numbers and of integers; SWAPPED and its like hold the columns in another order."""
    flows = [models.MAF(2, layers=1, hidden_units=(4,)) for _ in range(2)]
    for flow, rows in zip(flows, (ROWS, SWAPPED), strict=True):
        flow.columns = ["a", "b"]
        flow.initialize(rows)
    np.testing.assert_allclose(*(flow.log_prob(ROWS) for flow in flows), rtol=1e-5)
    x = np.stack([RNG.integers(0, 3, 500), RNG.choice([5, 6, 8], 500, p=[0.7, 0.2, 0.1])], 1)
    frame = pd.DataFrame(x, columns=["a", "b"])
    made = []
    for rows in (x, frame[["b", "a"]]):
        model = models.DiscreteFlow(2, levels=4, layers=2, width=8)
        model.set_least([0, 5])
        model.columns = ["a", "b"]
        model.initialize(rows)
        made.append(model)
    expected = made[0].log_prob(x)
    np.testing.assert_array_equal(made[1].log_prob(x), expected)
    np.testing.assert_array_equal(made[1].log_prob(frame[["b", "a"]]), expected)
    assert model.from_config(model.get_config()).columns == ["a", "b"]
    with pytest.raises(ValueError, match="x: .*'b'"):
        model.log_prob(frame[["a"]])

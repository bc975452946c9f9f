"""What a message on a loss that is not finite says of its cause."""

import numpy as np
import pytest

from tests.training.short_runs import ROWS, flow
from tests.training.short_runs import run as run_loop
from tfflows import models
from tfflows.data import pipeline
from tfflows.training import callbacks, diagnosis

NAMES = diagnosis.Names(["speed", "height", "width"], "--config.train.learning_rate")
GAUSS = np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)


def model(dim=3):
    made = models.RealNVP(dim=dim, layers=2, hidden_units=(8,), seed=1)
    made.compile("adam")
    return made


def reason(x, made=None, weights=None, names=NAMES):
    made = made or model(x.shape[1])

    def dataset(start):
        return pipeline.training_dataset(x, len(x), 0, start)

    return diagnosis.reason(made, dataset, 1, 1, weights, names)


REMEDY = "lower --config.train.learning_rate"


def test_a_value_that_breaks_the_density(tmp_path):
    x = GAUSS.copy()
    x[7, 1] = 1e30
    found = reason(x, weights=tmp_path / "none")
    assert found.startswith("a row has 1e+30 in column 'height', where the median is ")
    assert found.endswith(f"; {REMEDY}, or leave out column 'height'")


def of_two_units():
    """Rows whose largest number the model is used to, and another that it is not; the model."""
    x = GAUSS.copy()
    x[::8, 0] = 1e6
    x[7, 2] = 3e3
    made = models.RealNVP(dim=3, layers=2, hidden_units=(8,), standardize=True, seed=1)
    made.set_standardization(np.zeros(3), np.array([1e6, 1.0, 1.0]))
    made.compile("adam")
    return x, made


def test_a_row_is_judged_by_what_mends_it(tmp_path):
    x, made = of_two_units()
    assert "a row has 3000 in column 'width'" in reason(x, made, tmp_path / "none")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_data_that_are_no_numbers(tmp_path, value):
    x = GAUSS.copy()
    x[3, 0] = value
    assert reason(x, weights=tmp_path / "none").startswith(f"a row has {value:g} in column 'speed'")


def test_weights_that_are_no_numbers(tmp_path):
    made = model()
    made.trainable_weights[2].assign(made.trainable_weights[2] * np.nan)
    path = made.trainable_weights[2].path
    found = reason(GAUSS, made, tmp_path / "none")
    assert found == f"weights {path} are not finite; {REMEDY}"
    x = GAUSS.copy()
    x[5, 2] = 1e4
    found = reason(x, made, tmp_path / "none")  # by the number alone
    assert f"weights {path} are not finite; a row has 10000 in column 'width'" in found


def test_the_last_good_weights_judge_the_rows(tmp_path):
    x, made = of_two_units()
    good = tmp_path / "good.weights.h5"
    made.save_weights(good)
    made.trainable_weights[2].assign(made.trainable_weights[2] * np.nan)
    assert "in column 'speed'" in reason(x, made, tmp_path / "none")  # by the number alone
    assert "are not finite; a row has 3000 in column 'width'" in reason(x, made, good)


def test_columns_that_are_constant_or_copies(tmp_path):
    made = model()
    x = GAUSS.copy()
    x[:, 1] = 4.0
    found = reason(x, made, tmp_path / "none")
    assert found.startswith("column 'height' has one value in all rows of a batch; ")
    x[:, 1] = -3.0 * x[:, 0] + 1.0
    found = reason(x, made, tmp_path / "none")
    assert found.startswith(
        "columns 'speed' and 'height' are copies of each other up to scale and offset"
    )
    assert found.endswith("or leave out column 'height'")


def test_nothing_stands_out(tmp_path):
    assert reason(GAUSS, weights=tmp_path / "none") == REMEDY
    assert reason(GAUSS, weights=tmp_path / "none", names=diagnosis.Names()) == (
        "lower the learning rate"
    )


def test_a_run_says_it_in_one_line(tmp_path):
    rows = ROWS.copy()
    rows[7, 1] = 1e30
    made = flow()
    made.initialize(ROWS)
    with pytest.raises(callbacks.NotFiniteError) as error:
        run_loop(tmp_path, made, rows=rows, checkpoint_every=1, eval_every=1)
    text = str(error.value)
    assert "; a row has 1e+30 in column 1, where the median is " in text
    assert "; lower the learning rate, or leave out column 1; " in text and "\n" not in text

"""`.keras` files that earlier versions saved load as the same models.

`earlier/COMMIT` was made by the code of that commit. `figures.json` has rows, their
log-probability, draws of seed 5, and the names of columns, for each file beside it.
"""

import json
import pathlib

import keras
import numpy as np
import pytest

from tfflows import models

FILES = sorted(pathlib.Path(__file__).parent.glob("earlier/*/*.keras"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_saved_model_is_as_before(path):
    expected = json.loads((path.parent / "figures.json").read_text())[path.stem]
    model = keras.saving.load_model(path)
    assert isinstance(model, models.DensityModel)
    x = np.array(expected["x"])
    x = x.astype("uint8") if model.modality == "images" else x
    np.testing.assert_allclose(model.log_prob(x), expected["log_prob"], rtol=1e-5, atol=1e-4)
    draws = model.sample(3, seed=5)
    np.testing.assert_allclose(draws, expected["draws"], rtol=1e-5, atol=1e-4)
    assert model.columns == expected["columns"]


def test_each_kind_of_model_is_there():
    assert {"glow_variational", "gmm", "nsf_table"} <= {path.stem for path in FILES}

"""A column that is constant in the batch that initialises a flow, and varies afterwards."""

import numpy as np
import pytest
import tensorflow as tf

from tfflows import models
from tfflows.bijectors.normalization import act_norms

FLOWS = {
    "realnvp": lambda: models.RealNVP(3, layers=2, hidden_units=(8,)),
    "maf": lambda: models.MAF(3, layers=2, hidden_units=(8,)),
    "nsf": lambda: models.NSF(3, layers=2, hidden_units=(8,), bins=4, actnorm=True),
}


def rows(n, value, share=0.0, seed=0):
    """Normal rows whose second number is `value`, but for a share of them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    x[:, 1] = value + (rng.random(n) < share) * rng.normal(size=n)
    return x.astype("float32")


@pytest.mark.parametrize(
    ("name", "value"), [("realnvp", 0.0), ("realnvp", -1000.0), ("maf", 5.0), ("nsf", 5.0)]
)
def test_scales_stay_sane(name, value):
    flow = FLOWS[name]()
    flow.initialize(rows(256, value))
    for norm in act_norms(flow.bijector):
        assert np.abs(norm.log_scale).max() < 1.0
    # Rows that differ by 1 in that column are unlikely, and no more.
    seen, other = rows(50, value, seed=1), rows(50, value + 1.0, seed=1)
    assert np.abs(flow.encode(other)).max() < 50.0
    assert flow.log_prob(other).numpy().min() > flow.log_prob(seen).numpy().min() - 100.0


def test_training_goes_on():
    flow = FLOWS["realnvp"]()
    flow.initialize(rows(256, 5.0))
    data = tf.data.Dataset.from_tensor_slices(rows(2000, 5.0, share=0.2)).batch(200).repeat()
    flow.compile(optimizer="adam")
    history = flow.fit(data, steps_per_epoch=10, epochs=4, verbose=0).history["loss"]
    assert np.isfinite(history).all() and max(history) < history[0] + 1.0
    assert history[-1] < history[0]

"""GraphCNF: a bound below probabilities that sum to one, draws of the same model, any order."""

import itertools
import math

import numpy as np
import pytest
import tensorflow as tf

from tests.small_flows import shake
from tests.small_graphs import SMALL, graphs, narrow_latents
from tfflows.bijectors.base import inverse_and_log_det
from tfflows.models import GraphCNF
from tfflows.random import row_seeds, uniform_rows

# All graphs of one or two nodes of two types, with edges of two types.
EVERY = np.array([[t, 0, 0] for t in (1, 2)] + list(itertools.product((1, 2), (1, 2), (0, 1, 2))))


def flow(dim=2, scale=0.05, **kwargs):
    """A model whose encodings are so wide that few draws of them estimate a probability well."""
    model = GraphCNF(dim, node_types=2, edge_types=2, **SMALL | kwargs)
    for encoding in (model.parts.of_nodes, model.parts.of_edges, model.parts.of_pairs):
        encoding.log_scale.assign(tf.fill(encoding.log_scale.shape, 0.3))
    model.initialize(graphs(dim, 500))
    shake(model, scale=scale)
    narrow_latents(model.parts.pairs)
    return model


def weights(model, x, draws):
    """What the bound averages, for `draws` encodings of each row: `[rows, draws]`."""
    size = sum(a * b for a, b in model._shapes)
    values = tf.constant(np.repeat(x, draws, axis=0), tf.float32)
    u = uniform_rows(row_seeds(len(values), 5), size)
    found = np.float64(model._steps(values, u, inverse_and_log_det))
    return np.exp(found).reshape(len(x), draws)


@pytest.mark.slow
@pytest.mark.parametrize("encoding_layers", [0, 2])
def test_probabilities_sum_to_one_and_draws_follow_them(encoding_layers):
    scale, draws, n = 0.02 if encoding_layers else 0.05, 4000, 40_000
    model = flow(scale=scale, encoding_layers=encoding_layers)
    found = weights(model, EVERY, draws)
    mean, error = found.mean(1), found.std(1) / math.sqrt(draws)
    total = math.sqrt(np.sum(error**2))
    assert total < 0.05 and mean.sum() == pytest.approx(1.0, abs=4 * total)
    x = model.sample(n, seed=0).numpy()
    shares = np.array([(x == row).all(1).mean() for row in EVERY])
    assert shares.sum() == pytest.approx(1.0)  # nothing but graphs
    assert (np.abs(shares - mean) < 5 * np.sqrt(error**2 + mean / n)).all()
    # Jensen's inequality for each row.
    one, few = np.log(found).mean(1), np.log(found.reshape(len(EVERY), -1, 20).mean(-1)).mean(1)
    assert (one < few).all() and (few < np.log(mean + 5 * error)).all()
    model.samples = 20
    assert np.mean(model.log_prob(EVERY)) == pytest.approx(few.mean(), abs=0.6)


def test_all_orders_of_the_nodes_are_equally_likely():
    model, (first, second) = flow(dim=4, scale=0.2), np.triu_indices(4, 1)
    row = graphs(4, 200)
    row = row[(row[:, 2] > 0) & (row[:, 3] == 0) & (row[:, 4:6] > 0).all(1)][0]
    number = np.zeros([4, 4], int)
    number[first, second] = number[second, first] = np.arange(6)
    orders = [np.array([*order, 3]) for order in itertools.permutations(range(3))]
    places = np.array([[*order, *(4 + number[order[first], order[second]])] for order in orders])
    rng = np.random.default_rng(0)
    noise = rng.random((10, 2)).astype(np.float32)  # for each node and pair, two numbers
    u = tf.constant(noise[places].reshape(6, 20))
    same = model._steps(tf.constant(row[places], tf.float32), u, inverse_and_log_det).numpy()
    np.testing.assert_allclose(same, same[:1].repeat(6), atol=1e-4)
    assert len(np.unique(row[places], axis=0)) > 1


@pytest.mark.slow
def test_sizes_and_shares_are_those_of_the_data():
    x = graphs(4, 3000)
    model = GraphCNF(4, node_types=2, edge_types=2, **SMALL)
    model.initialize(x)
    nodes = (x[:, :4] > 0).sum(1)
    counts = np.bincount(nodes, minlength=5)[1:] + 0.01
    np.testing.assert_allclose(np.exp(model.parts.log_sizes), counts / counts.sum(), rtol=1e-5)
    types = np.bincount(x[:, :4][x[:, :4] > 0], minlength=3)[1:] + 1
    np.testing.assert_allclose(
        np.exp(model.parts.of_nodes.log_shares)[0], types / types.sum(), rtol=1e-5
    )
    pairs = int((nodes * (nodes - 1) // 2).sum())
    linked = int((x[:, 4:] > 0).sum())
    np.testing.assert_allclose(
        np.exp(model.parts.of_pairs.log_shares)[0],
        np.array([pairs - linked + 1, linked + 1]) / (pairs + 2),
        rtol=1e-5,
    )
    drawn = (model.sample(4000, seed=1).numpy()[:, :4] > 0).sum(1)
    np.testing.assert_allclose(np.bincount(drawn, minlength=5)[1:] / 4000, 0.25, atol=0.05)


def test_rows_that_are_no_graphs_have_no_probability_and_are_no_data():
    model = flow()
    bad = [[0, 0, 0], [0, 1, 0], [1, 0, 1], [3, 1, 0], [1, 1, 3], [-1, 1, 0], [1, 1, -1]]
    assert np.isneginf(model.log_prob(np.array(bad))).all()
    assert np.isfinite(model.log_prob(EVERY)).all()
    for row in bad[:5]:
        with pytest.raises(ValueError, match="x: expected .* in row 1"):
            model.check_data("x", np.array([[1, 2, 0], row]))
    new = GraphCNF(2, node_types=2, edge_types=2, **SMALL)
    with pytest.raises(ValueError, match="x: expected graphs of 1 to 2 nodes of 2 types"):
        new.initialize(np.array([[0, 1, 0]]))
    assert not new.initialized


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dim": 1}, "dim: expected a whole number from 2"),
        ({"node_types": 0}, "node_types: expected a whole number from 1"),
        ({"edge_types": 0}, "edge_types: expected a whole number from 1"),
        ({"channels": 1}, "channels: expected a whole number from 2"),
        ({"pair_channels": 1}, "pair_channels: expected a whole number from 2"),
        ({"layers": (1, 1)}, r"layers: expected three numbers, each at least 1, got \(1, 1\)"),
        ({"layers": (1, 0, 1)}, "layers: expected three numbers"),
        ({"width": 0}, "width: expected at least 1, got 0"),
        ({"encoding_layers": -1}, "encoding_layers: expected a whole number from 0"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        GraphCNF(**{"dim": 3} | SMALL | arguments)

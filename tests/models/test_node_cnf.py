"""NodeCNF: probabilities that sum to one for each graph, draws of the same model, any order."""

import itertools
import math

import numpy as np
import pytest
import tensorflow as tf

from tests.small_flows import shake
from tests.small_graphs import NODES, narrow_latents, node_types
from tfflows.bijectors.base import inverse_and_log_det
from tfflows.models import NodeCNF
from tfflows.random import row_seeds, uniform_rows

# A path of two nodes and one without an edge; a path of three with two types of edges.
GRAPHS = np.array([[1, 1, 1, 2, 0, 0], [1, 1, 1, 1, 0, 2]], np.float32)
EVERY = np.array(list(itertools.product((1, 2), repeat=3)))


def flow(dim=3, scale=0.05, **kwargs):
    """A model whose encodings are so wide that few draws of them estimate a probability well."""
    model = NodeCNF(dim, node_types=2, edge_types=2, **NODES | kwargs)
    model.parts.encoding.log_scale.assign(tf.fill(model.parts.encoding.log_scale.shape, 0.3))
    model.initialize(*node_types(dim, 500))
    shake(model, scale=scale)
    narrow_latents(model.parts.chain)
    return model


def weights(model, x, context, draws):
    """What the bound averages, for `draws` encodings of each row: `[rows, draws]`."""
    x, context = (tf.constant(np.repeat(a, draws, axis=0), tf.float32) for a in (x, context))
    u = tf.reshape(uniform_rows(row_seeds(len(x), 5), math.prod(model._shape)), [-1, *model._shape])
    found = np.float64(model._weight(x, context, u, inverse_and_log_det))
    return np.exp(found).reshape(-1, draws)


@pytest.mark.slow
@pytest.mark.parametrize("encoding_layers", [0, 2])
def test_probabilities_sum_to_one_for_each_graph_and_draws_follow_them(encoding_layers):
    model, draws, n = flow(encoding_layers=encoding_layers), 4000, 40_000
    model.samples = 20
    for graph in GRAPHS:
        context = np.tile(graph, [8, 1])
        found = weights(model, EVERY, context, draws)
        mean, error = found.mean(1), found.std(1) / math.sqrt(draws)
        total = math.sqrt(np.sum(error**2))
        assert total < 0.05 and mean.sum() == pytest.approx(1.0, abs=4 * total)
        x = model.sample(n, seed=0, context=np.tile(graph, [n, 1])).numpy()
        shares = np.array([(x == row).all(1).mean() for row in EVERY])
        assert shares.sum() == pytest.approx(1.0)
        assert (np.abs(shares - mean) < 5 * np.sqrt(error**2 + mean / n)).all()
        one, few = np.log(found).mean(1), np.log(found.reshape(8, -1, 20).mean(-1)).mean(1)
        assert (one < few).all() and (few < np.log(mean + 5 * error)).all()
        assert np.mean(model.log_prob(EVERY, context)) == pytest.approx(few.mean(), abs=0.6)


def test_the_order_of_the_nodes_does_not_matter():
    model, (first, second) = flow(dim=4, scale=0.2), np.triu_indices(4, 1)
    row, graph = np.array([1, 2, 2, 0]), np.array([1, 1, 1, 0, 0, 1, 0, 2, 0, 0])
    number = np.zeros([4, 4], int)
    number[first, second] = number[second, first] = 4 + np.arange(6)
    orders = np.array([[*order, 3] for order in itertools.permutations(range(3))])
    graphs = np.array([graph[[*order, *number[order[first], order[second]]]] for order in orders])
    u = np.random.default_rng(0).random((4, 2)).astype(np.float32)
    x = tf.constant(row[orders], tf.float32)
    context = tf.constant(graphs, tf.float32)
    same = model._weight(x, context, tf.constant(u[orders]), inverse_and_log_det).numpy()
    np.testing.assert_allclose(same, same[:1].repeat(6), atol=1e-4)
    other = model._weight(x, context[::-1], tf.constant(u[orders]), inverse_and_log_det).numpy()
    assert np.abs(other - same).min() > 0.1  # the graph matters


def test_rows_of_other_graphs_have_no_probability():
    model = flow()
    graph = np.array([[1, 1, 0, 2, 0, 0]])
    for row in [[1, 0, 0], [1, 1, 1], [0, 1, 0], [3, 1, 0], [-1, 1, 0], [1.5, 1, 0]]:
        assert np.isneginf(model.log_prob(np.array([row]), graph)).all(), row
    assert np.isnan(model.log_prob(np.array([[np.nan, 1, 0]]), graph))
    assert np.isnan(model.log_prob(np.array([[np.nan, 1, 1]]), graph))
    for context in ([1, 1, 0, np.nan, 0, 0], [np.nan, 1, 0, 2, 0, 0]):
        assert np.isnan(model.log_prob(np.array([[1, 1, 0]]), np.array([context])))
    for context in ([1, 1, 0, 3, 0, 0], [1, 2, 0, 0, 0, 0], [1, 1, 0, 0.5, 0, 0]):
        assert np.isneginf(model.log_prob(np.array([[1, 1, 0]]), np.array([context])))
    x = model.sample(100, seed=1, context=np.tile(graph, [100, 1])).numpy()
    assert (x[:, :2] > 0).all() and (x[:, 2] == 0).all()
    # What a place without a node has in the context is nothing.
    row = np.array([[1, 2, 0]])
    with_edge = graph + np.array([0, 0, 0, 0, 1, 1])
    shake(model)
    np.testing.assert_array_equal(model.log_prob(row, graph), model.log_prob(row, with_edge))


def test_it_starts_from_types_that_go_with_the_graphs():
    x, context = node_types(3, 100)
    model = NodeCNF(3, node_types=2, edge_types=2, **NODES)
    wrong = x.copy()
    wrong[7] = 0
    with pytest.raises(ValueError, match=r"x: expected a type .* got \[0, 0, 0\] in row 7"):
        model.initialize(wrong, context)
    wrong = context.copy()
    wrong[3, 4] = 3
    with pytest.raises(ValueError, match="context: expected 0 or 1 .* 0 to 2 .* others in row 3"):
        model.initialize(x, wrong)
    with pytest.raises(ValueError, match="context: expected a graph with a node, got none"):
        model.initialize(0 * x, 0 * context)
    with pytest.raises(
        ValueError, match=r"context: the model expects shape \[batch, 6\], got None"
    ):
        model.initialize(x)
    assert not model.initialized
    model.initialize(x, context)
    shares = np.bincount(x[x > 0], minlength=3)[1:] + 1
    found = np.exp(model.parts.encoding.log_shares)[0]
    np.testing.assert_allclose(found, shares / shares.sum(), rtol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dim": 1}, "dim: expected a whole number from 2"),
        ({"node_types": 1}, "node_types: expected a whole number from 2"),
        ({"edge_types": 0}, "edge_types: expected a whole number from 1"),
        ({"channels": 1}, "channels: expected a whole number from 2"),
        ({"layers": 0}, "layers: expected at least 1, got 0"),
        ({"encoding_layers": -1}, "encoding_layers: expected a whole number from 0"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        NodeCNF(**{"dim": 3} | NODES | arguments)

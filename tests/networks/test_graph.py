"""Networks and maps of graphs: any order of the nodes, and nothing of what is not there."""

import numpy as np
import pytest
import tensorflow as tf

from tests.bijector_registry import REGISTRY
from tfflows import bijectors as tb
from tfflows import networks

NODES, FIRST, SECOND = 4, *np.triu_indices(4, 1)
ORDER = np.array([2, 0, 1, 3])


def pair_order(order):
    """The number of each pair of the permuted nodes among the pairs of the nodes."""
    number = np.zeros([NODES, NODES], int)
    number[FIRST, SECOND] = number[SECOND, FIRST] = np.arange(len(FIRST))
    return number[order[FIRST], order[SECOND]]


def graphs(seed=0, batch=5):
    """Vectors of nodes and pairs, nodes present (3 of 4) and types of edges, with every type."""
    rng = np.random.default_rng(seed)
    nodes, pairs = rng.normal(size=(batch, 4, 2)), rng.normal(size=(batch, 6, 3))
    present = np.tile([1, 1, 1, 0], (batch, 1))
    edges = rng.integers(0, 3, (batch, 6)) * (present[:, FIRST] * present[:, SECOND])
    edges[0, :2] = 1, 2
    return [np.float32(value) for value in (nodes, pairs, present, edges)]


def shaken(layer, *inputs):
    layer(*inputs)
    rng = np.random.default_rng(1)
    layer.set_weights([w + 0.3 * rng.normal(size=w.shape) for w in layer.get_weights()])
    return layer


def relational(nodes, pairs, present, edges):
    layer = shaken(networks.RelationalGraphNetwork(3, 8, 2, relations=2), nodes, present, edges)
    return lambda nodes, pairs, present, edges: [layer(nodes, present, edges)]


def edge(nodes, pairs, present, edges):
    return shaken(
        networks.EdgeGraphNetwork((3, 5), 8, 2, relations=2), nodes, pairs, present, edges
    )


@pytest.mark.parametrize("make", [relational, edge])
def test_outputs_go_along_with_the_nodes(make):
    inputs = graphs()
    layer, order = make(*inputs), pair_order(ORDER)
    permuted = [inputs[0][:, ORDER], inputs[1][:, order], inputs[2][:, ORDER], inputs[3][:, order]]
    for found, expected, places in zip(
        layer(*permuted), layer(*inputs), (ORDER, order), strict=False
    ):
        np.testing.assert_allclose(found, tf.gather(expected, places, axis=1), atol=1e-5)
        assert np.ptp(expected, axis=1).min() > 1e-3  # nodes do not all have the same outputs


@pytest.mark.parametrize("make", [relational, edge])
def test_what_is_not_there_reaches_nothing(make):
    nodes, pairs, present, edges = graphs()
    layer = make(nodes, pairs, present, edges)
    other_nodes = np.where(present[..., np.newaxis] > 0, nodes, 7.0)
    other_pairs = np.where(edges[..., np.newaxis] > 0, pairs, 7.0)
    for found, expected, there in zip(
        layer(other_nodes, other_pairs, present, edges),
        layer(nodes, pairs, present, edges),
        (present, edges),
        strict=False,
    ):
        there = there > 0
        np.testing.assert_allclose(found[there], expected[there], atol=1e-5)


@pytest.mark.parametrize("make", [relational, edge])
def test_nodes_and_types_of_edges_matter(make):
    nodes, pairs, present, edges = graphs()
    layer = make(nodes, pairs, present, edges)
    expected = layer(nodes, pairs, present, edges)[0][0]
    moved = nodes.copy()
    moved[0, 1] += 1.0  # an edge of type 1 leads from node 0 to node 1
    assert np.abs(layer(moved, pairs, present, edges)[0][0, 0] - expected[0]).max() > 1e-3
    swapped = np.where(edges == 1, 2, np.where(edges == 2, 1, 0)).astype(np.float32)
    assert np.abs(layer(nodes, pairs, present, swapped)[0][0, 0] - expected[0]).max() > 1e-3


@pytest.mark.parametrize("name", ["graph_elementwise", "graph_coupling"])
def test_a_map_changes_what_is_there_in_any_order(name):
    case = REGISTRY[name]
    bijector, y = case.randomized(), case.events("float32", batch=5)
    _, _, present, edges = graphs()

    def parts(value):
        return value[:, :12].reshape(-1, 4, 3), value[:, 12:].reshape(-1, 6, 2)

    x, log_det = bijector.inverse_and_log_det(y, np.concatenate([present, edges], 1))
    before, after = parts(y.numpy()), parts(x.numpy())
    for old, new, there in zip(before, after, (present, edges), strict=True):
        np.testing.assert_array_equal(new[there == 0], old[there == 0])
        assert (np.abs(new - old).max(-1)[there > 0] > 1e-3).all()
    order = pair_order(ORDER)
    permuted = [
        value[:, places].reshape(5, -1)
        for value, places in zip(before, (ORDER, order), strict=True)
    ]
    context = np.concatenate([present[:, ORDER], edges[:, order]], 1)
    again, same = bijector.inverse_and_log_det(np.concatenate(permuted, 1), context)
    np.testing.assert_allclose(same, log_det, atol=1e-4)
    for found, expected, places in zip(parts(again.numpy()), after, (ORDER, order), strict=True):
        np.testing.assert_allclose(found, expected[:, places], atol=1e-4)


def test_norms_start_from_what_is_there():
    rows, norms = np.random.default_rng(0).normal(3, 2, (100, 24)), [tb.ActNorm(3), tb.ActNorm(2)]
    bijector = tb.GraphElementwise(4, 3, norms[0], 2, norms[1])
    _, _, present, edges = graphs(batch=100)
    nodes, pairs = rows[:, :12].reshape(-1, 4, 3), rows[:, 12:].reshape(-1, 6, 2)
    nodes[present == 0] = pairs[edges == 0] = 1e6
    values = tf.constant(rows, tf.float32)
    context = np.concatenate([present, edges], 1).astype(np.float32)
    tb.normalization.initialize(bijector, values, 1, context)
    for norm, part, there in zip(norms, (nodes, pairs), (present, edges), strict=True):
        np.testing.assert_allclose(norm.shift, part[there > 0].mean(0), rtol=1e-5)
        np.testing.assert_allclose(tf.exp(norm.log_scale), part[there > 0].std(0), rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tb.GraphCoupling(1, 2, tb.Affine(), None), "nodes: expected 2 or more, got 1"),
        (lambda: tb.GraphCoupling(3, 1, tb.Affine(), None), "channels: .* at least 2, got 1"),
        (
            lambda: tb.GraphCoupling(
                3, 2, tb.Affine(), lambda n: networks.RelationalGraphNetwork(5)
            ),
            r"network: .* expects outputs of shapes \[\(1, 3, 2\)\], got \[\(1, 3, 5\)\]",
        ),
        (lambda: tb.GraphElementwise(3, 2, tb.ActNorm(2), 2), "of_pairs: expected a bijector if"),
        (lambda: networks.RelationalGraphNetwork(3, width=0), "width: expected at least 1, got 0"),
        (lambda: networks.EdgeGraphNetwork((3, 2), relations=0), "relations: expected at least 1"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()

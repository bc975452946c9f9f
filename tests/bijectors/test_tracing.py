"""How the maps are traced: as they are written, and in an export once."""

import pytest
import tensorflow as tf

import export
from tfflows import Flow
from tfflows import bijectors as tb


class Counted(tb.Bijector):
    """Twice its input; counts how often each direction is traced or run."""

    def __init__(self):
        super().__init__(forward_min_event_ndims=1, name="counted")
        self.calls = {"forward": 0, "inverse": 0}

    def _forward_and_log_det(self, x, context):
        self.calls["forward"] += 1
        return 2.0 * x, tf.fill([tf.shape(x)[0]], 2 * tf.math.log(2.0))

    def _inverse_and_log_det(self, y, context):
        self.calls["inverse"] += 1
        return 0.5 * y, tf.fill([tf.shape(y)[0]], -2 * tf.math.log(2.0))


class Branching(Counted):
    """Branches on a value, which only AutoGraph would turn into a graph."""

    def _inverse_and_log_det(self, y, context):
        if tf.reduce_sum(y) > 0:
            return super()._inverse_and_log_det(y, context)
        return super()._inverse_and_log_det(-y, context)


BRANCHING = Branching()
CALLS = {
    "method": lambda x: BRANCHING.inverse_and_log_det(x),
    "function": lambda x: tb.inverse_and_log_det(BRANCHING, x, 1),
    "tfp": lambda x: BRANCHING.inverse(x),
    "model": lambda x: Flow(BRANCHING, [2]).log_prob(x),
}


@pytest.mark.parametrize("call", CALLS)
def test_maps_are_traced_without_autograph(call):
    def run(x):
        return CALLS[call](x)

    with pytest.raises(tf.errors.OperatorNotAllowedInGraphError):
        tf.function(run)(tf.ones([3, 2]))


def test_an_export_traces_each_function_once(tmp_path):
    bijector = Counted()
    flow = Flow(bijector, [2])
    flow.log_prob(tf.ones([1, 2]))
    before = dict(bijector.calls)
    export.save(flow, tmp_path / "model")
    # log_prob and encode; sample and decode.
    assert bijector.calls == {"inverse": before["inverse"] + 2, "forward": before["forward"] + 2}

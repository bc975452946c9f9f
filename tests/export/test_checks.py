"""`export.check` refuses what a server would refuse, or would get wrong in silence."""

import pytest
import tensorflow as tf

import export
from export import checks

X = tf.TensorSpec([None, 2], tf.float32, name="x")
SEED = tf.TensorSpec([None, 2], tf.int64, name="seed")


def good_sample(seed):
    return {"samples": tf.cast(seed, tf.float32)}


def save(save_functions, output, *specs):
    """A SavedModel whose log_prob returns `output(x)` and whose sample is a good one."""

    def log_prob(*inputs):
        return {"log_prob": output(*inputs)}

    specs = specs or (X,)
    return save_functions(
        log_prob=(log_prob, *specs),
        serving_default=(log_prob, *specs),
        sample=(good_sample, SEED),
    )


def test_a_good_model_passes(save_functions):
    path = save(save_functions, lambda x: tf.reduce_sum(x, axis=1))
    export.check(path)
    found = checks.signatures(path)
    assert set(found) == {"log_prob", "serving_default", "sample"}
    assert str(found["log_prob"]) == "x float32 [batch, 2] -> log_prob float32 [batch]"


def compiled(x):
    return tf.function(lambda x: tf.reduce_sum(x, axis=1), jit_compile=True)(x)


def python(x):
    value = tf.py_function(lambda x: tf.reduce_sum(x, axis=1), [x], tf.float32)
    value.set_shape([None])
    return value


def numpy(x):
    value = tf.numpy_function(lambda x: x.sum(axis=1), [x], tf.float32)
    value.set_shape([None])
    return value


def in_a_loop(x):
    def body(y):
        return [y + tf.random.uniform([])]

    return tf.while_loop(lambda y: True, body, [x[:, 0]], maximum_iterations=3)[0]


def printing(x):
    tf.print("served")
    return x[:, 0]


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (compiled, "compiled with XLA"),
        (python, "EagerPyFunc"),
        (numpy, "PyFunc"),
        (lambda x: x[:, 0] + tf.random.normal([]), "RandomStandardNormal"),
        (lambda x: tf.random.shuffle(x[:, 0]), "RandomShuffle"),
        (in_a_loop, "RandomUniform"),
        (printing, "PrintV2"),
    ],
)
def test_an_op_that_cannot_be_served_is_named(save_functions, output, expected):
    with pytest.raises(ValueError, match=expected):
        export.check(save(save_functions, output))


def test_a_stateful_generator_is_refused(tmp_path):
    module = tf.Module()
    module.generator = tf.random.Generator.from_seed(1)

    def log_prob(x):
        return {"log_prob": x[:, 0] + module.generator.normal([])}

    log_prob = tf.function(log_prob, input_signature=[X]).get_concrete_function()
    sample = tf.function(good_sample, input_signature=[SEED]).get_concrete_function()
    signatures = {"log_prob": log_prob, "serving_default": log_prob, "sample": sample}
    tf.saved_model.save(module, str(tmp_path), signatures=signatures)
    with pytest.raises(ValueError, match="RngReadAndSkip|Stateful"):
        export.check(tmp_path)


def test_stateless_random_ops_are_fine(save_functions):
    export.check(save(save_functions, lambda x: x[:, 0] + tf.random.stateless_normal([], [1, 2])))


@pytest.mark.parametrize(
    ("output", "spec", "expected"),
    [
        (
            lambda x: x[:, 0],
            tf.TensorSpec([4, 2], tf.float32, name="x"),
            r"input x: expected a first dimension of unknown size, got \(4, 2\)",
        ),
        (
            lambda x: tf.fill([2], x),
            tf.TensorSpec([], tf.float32, name="x"),
            r"input x: expected a first dimension of unknown size, got \(\)",
        ),
        (tf.reduce_sum, X, r"output log_prob: expected a first dimension"),
        (lambda x: tf.zeros([3]), X, r"output log_prob: expected a first dimension"),
        (
            lambda x: tf.cast(x[:, 0], tf.bfloat16),
            X,
            "output log_prob: expected a dtype that REST can carry, got bfloat16",
        ),
        (
            lambda x: tf.cast(x[:, 0], tf.half),
            X,
            "output log_prob: expected a dtype that REST can carry, got float16",
        ),
    ],
)
def test_a_signature_that_batching_or_rest_would_break_is_named(
    save_functions, output, spec, expected
):
    with pytest.raises(ValueError, match="signature log_prob: " + expected):
        export.check(save(save_functions, output, spec))


def test_a_signature_without_inputs_is_refused(save_functions):
    path = save_functions(
        log_prob=(lambda x: {"log_prob": x[:, 0]}, X),
        serving_default=(lambda x: {"log_prob": x[:, 0]}, X),
        sample=(lambda: {"samples": tf.zeros([1, 2])},),
    )
    with pytest.raises(ValueError, match="signature sample: expected at least one input"):
        export.check(path)


def test_a_missing_signature_is_named(save_functions):
    path = save_functions(log_prob=(lambda x: {"log_prob": x[:, 0]}, X))
    with pytest.raises(ValueError, match="expected a signature named sample, got log_prob"):
        export.check(path)


def test_a_folder_without_a_model_and_a_broken_file_are_errors(tmp_path):
    with pytest.raises(ValueError, match="path: expected a SavedModel, but .* cannot be read"):
        export.check(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"no protobuf")
    with pytest.raises(ValueError, match="path: expected a SavedModel, but .* cannot be read"):
        export.check(tmp_path)

"""The reference flows in tfflows, as a user of its public methods runs them."""

from __future__ import annotations

import itertools

import numpy as np
import tensorflow as tf

from benchmarks.tasks import Sizes
from tfflows import models, training


def _flow(task: str, sizes: Sizes) -> models.Flow:
    plain = {"hidden_units": sizes.hidden, "actnorm": False}
    if task == "glow":
        return models.Glow(
            sizes.image,
            levels=sizes.levels,
            steps=sizes.steps,
            width=sizes.channels,
            coupling="sigmoid",
        )
    if task == "realnvp":
        return models.RealNVP(sizes.dim, layers=sizes.couplings, **plain)
    plain |= {"layers": sizes.autoregressions, "linear": "reverse"}
    if task == "maf":
        return models.MAF(sizes.dim, **plain)
    return models.NSF(sizes.dim, autoregressive=True, bins=sizes.bins, bound=3.0, **plain)


def build(task: str, sizes: Sizes) -> tuple[dict, int]:
    """The calls of `task`'s flow, and its number of parameters."""
    flow = _flow(task, sizes)
    rng, images = np.random.default_rng(0), task == "glow"
    flow.compile(training.Adam(1e-3), jit_compile=not images)
    if images:
        # Without XLA, whose convolutions are slow on CPUs. The calls include dequantization.
        batch = sizes.images
        x = rng.integers(0, 256, (batch, *sizes.image)).astype("uint8")
        flow.initialize(x)
    else:
        batch = sizes.batch
        flow.use_xla(batch)
        x = rng.normal(size=(batch, sizes.dim)).astype("float32")
    # What `fit` calls for each batch of its data set.
    flow.make_train_function()
    train = flow.train_function
    batches = iter(tf.data.Dataset.from_tensors(x).repeat().prefetch(2))
    scored, seeds = tf.constant(x), itertools.count()
    return {
        "train_step": lambda: train(batches)["loss"].numpy(),
        "log_prob": lambda: flow.log_prob(scored).numpy(),
        "sample": lambda: flow.sample(batch, seed=next(seeds)).numpy(),
    }, sum(int(np.prod(v.shape)) for v in flow.trainable_variables)

"""NICE on MNIST, small."""

from zoo.configs import default


def get_config():
    return default.get_config(
        name="nice_mnist",
        summary="NICE on MNIST, small.",
        family="NICE",
        model={
            "hidden_units": (300, 300),
        },
        data={"source": "tfds", "name": "mnist", "height": 28, "width": 28, "channels": 1},
        train={
            "batch_size": 32,
            "optimizer": "adam",
            "learning_rate": 0.001,
            "warmup": 200,
            "clip_norm": 100.0,
            "ema": 0.999,
            "eval_every": 1000,
            "steps": 40_000,
            "jit_compile": True,
            "steps_per_execution": 10,
        },
        paper={
            "title": "Dinh, Krueger & Bengio, NICE, 2014",
            "url": "https://arxiv.org/abs/1410.8516",
            "result": "4.36 bits/dim (1980.50 nats of pixels in [0, 1])",
        },
    )

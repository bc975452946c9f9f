"""Flow++ on MNIST, small."""

from zoo.configs import default
from zoo.configs.flow_plus_plus import PAPER


def get_config():
    return default.get_config(
        name="flowpp_mnist",
        summary="Flow++ on MNIST, small.",
        family="FlowPlusPlus",
        model={
            "couplings": (2, 3, 4),
            "width": 32,
            "blocks": 1,
            "heads": 1,
            "components": 8,
            "dropout": 0.0,
            "margin": 0.002,
            "dequantization": {"layers": 2, "width": 16, "blocks": 1},
        },
        data={"source": "tfds", "name": "mnist", "height": 28, "width": 28, "channels": 1},
        train={
            "batch_size": 16,
            "optimizer": "adam",
            "learning_rate": 0.002,
            "warmup": 200,
            "clip_norm": 50.0,
            "ema": 0.999,
            "eval_every": 1000,
            "steps": 13_000,
            "jit_compile": False,
            "steps_per_execution": 10,
        },
        paper=PAPER,
    )

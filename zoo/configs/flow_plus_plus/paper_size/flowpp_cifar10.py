"""Flow++ on CIFAR-10, of the paper's size."""

from zoo.configs import default
from zoo.configs.flow_plus_plus import PAPER


def get_config():
    return default.get_config(
        name="flowpp_cifar10",
        summary="Flow++ on CIFAR-10, of the paper's size.",
        family="FlowPlusPlus",
        model={
            "dequantization": {"width": 96, "components": 32, "heads": 4},
        },
        data={"source": "tfds", "name": "cifar10", "height": 32, "width": 32, "channels": 3},
        train={
            "optimizer": "adam",
            "jit_compile": True,
            "steps_per_execution": 20,
            "eval_every": 5000,
            "batch_size": 64,
            "learning_rate": 0.0003,
            "schedule": "constant",
            "warmup": 2000,
            "clip_norm": 1.0,
            "ema": 0.999,
            "steps": 500000,
        },
        paper=PAPER | {"result": "3.08 bits/dim"},
    )

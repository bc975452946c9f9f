"""Flow++ on ImageNet 64 x 64, of the paper's size."""

from zoo.configs import default
from zoo.configs.flow_plus_plus import PAPER


def get_config():
    return default.get_config(
        name="flowpp_imagenet64",
        summary="Flow++ on ImageNet 64 x 64, of the paper's size.",
        family="FlowPlusPlus",
        model={
            "design": "imagenet64",
            "blocks": 16,
            "components": 4,
            "dropout": 0.0,
            "dequantization": {"design": "imagenet64", "width": 96, "components": 4, "blocks": 5},
        },
        data={
            "source": "tfds",
            "name": "downsampled_imagenet/64x64",
            "height": 64,
            "width": 64,
            "channels": 3,
        },
        train={
            "optimizer": "adam",
            "jit_compile": True,
            "steps_per_execution": 20,
            "eval_every": 5000,
            "batch_size": 72,
            "learning_rate": 0.0004,
            "schedule": "constant",
            "warmup": 10000,
            "clip_norm": 1.0,
            "ema": 0.999,
            "steps": 500000,
        },
        paper=PAPER | {"result": "3.69 bits/dim"},
    )

"""Flow++ on ImageNet 32 x 32, of the paper's size."""

from zoo.configs import default
from zoo.configs.flow_plus_plus import PAPER


def get_config():
    return default.get_config(
        name="flowpp_imagenet32",
        summary="Flow++ on ImageNet 32 x 32, of the paper's size.",
        family="FlowPlusPlus",
        model={
            "design": "imagenet32",
            "width": 128,
            "blocks": 20,
            "dropout": 0.0,
            "dequantization": {
                "design": "imagenet32",
                "layers": 8,
                "width": 128,
                "components": 32,
                "heads": 4,
                "blocks": 8,
            },
        },
        data={
            "source": "tfds",
            "name": "downsampled_imagenet/32x32",
            "height": 32,
            "width": 32,
            "channels": 3,
        },
        train={
            "optimizer": "adam",
            "jit_compile": True,
            "steps_per_execution": 20,
            "eval_every": 5000,
            "batch_size": 32,
            "learning_rate": 0.001,
            "schedule": "constant",
            "warmup": 5000,
            "clip_norm": 1.0,
            "ema": 0.999222,
            "steps": 500000,
        },
        paper=PAPER | {"result": "3.86 bits/dim"},
    )

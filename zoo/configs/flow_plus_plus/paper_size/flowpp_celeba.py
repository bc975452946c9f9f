"""Flow++ on CelebA 64 x 64 at 5 bits, of the authors' size."""

from zoo.configs import default
from zoo.configs.flow_plus_plus import PAPER


def get_config():
    return default.get_config(
        name="flowpp_celeba",
        summary="Flow++ on CelebA 64 x 64 at 5 bits, of the authors' size.",
        family="FlowPlusPlus",
        model={
            "design": "imagenet64",
            "blocks": 16,
            "components": 4,
            "dropout": 0.0,
            "dequantization": {"design": "imagenet64", "width": 96, "components": 4, "blocks": 5},
            "bits": 5,
        },
        data={
            "source": "tfds",
            "name": "celeb_a",
            "height": 64,
            "width": 64,
            "channels": 3,
            "crop": "148",
        },
        train={
            "optimizer": "adam",
            "jit_compile": True,
            "steps_per_execution": 20,
            "eval_every": 5000,
            "batch_size": 56,
            "learning_rate": 0.00004,
            "schedule": "constant",
            "warmup": 20000,
            "clip_norm": 1.0,
            "ema": 0.999,
            "steps": 500000,
        },
        paper=PAPER,
    )

"""Integer discrete flow on MNIST, with networks of 8-bit integers."""

from zoo.configs import default
from zoo.configs.idf import PAPER


def get_config():
    return default.get_config(
        name="idf_mnist",
        summary="Integer discrete flow on MNIST, with networks of 8-bit integers.",
        family="ImageIntegerDiscreteFlow",
        model={"levels": 2, "steps": 4, "width": 64, "quantized": True},
        data={"source": "tfds", "name": "mnist", "height": 28, "width": 28, "channels": 1},
        train={
            "batch_size": 32,
            "learning_rate": 0.003,
            "warmup": 200,
            "clip_norm": 1000.0,
            "ema": 0.999,
            "eval_every": 1000,
            "checkpoint_every": 250,
            "steps": 8000,
            "jit_compile": False,
            "steps_per_execution": 10,
        },
        paper=PAPER,
    )

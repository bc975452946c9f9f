"""Integer discrete flow for a folder or array of images, with networks of 8-bit integers."""

from zoo.configs import default
from zoo.configs.idf import PAPER


def get_config():
    return default.get_config(
        name="idf_images",
        summary="Integer discrete flow for a folder or array of images, for compression.",
        family="ImageIntegerDiscreteFlow",
        model={"levels": 2, "steps": 4, "width": 64, "quantized": True},
        data={"source": "images"},
        train={
            "batch_size": 32,
            "learning_rate": 0.002,
            "warmup": 200,
            "ema": 0.999,
            "eval_every": 500,
            "steps": 10_000,
            "jit_compile": False,
            "steps_per_execution": 10,
        },
        paper=PAPER,
    )

"""Glow on MNIST."""

from zoo.configs import default


def get_config():
    return default.get_config(
        name="glow_mnist",
        summary="Glow on MNIST.",
        family="Glow",
        model={"levels": 2, "steps": 16, "width": 96},
        data={"source": "tfds", "name": "mnist", "height": 28, "width": 28, "channels": 1},
        train={
            "batch_size": 64,
            "optimizer": "adam",
            "learning_rate": 0.001,
            "warmup": 200,
            "clip_norm": 50.0,
            "ema": 0.0,
            "eval_every": 1000,
            "steps": 10000,
            "jit_compile": False,
            "steps_per_execution": 10,
        },
        paper={
            "title": "Kingma & Dhariwal, Glow, 2018",
            "url": "https://arxiv.org/abs/1807.03039",
            "result": "1.05 bits/dim",
        },
    )

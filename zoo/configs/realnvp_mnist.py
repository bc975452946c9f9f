"""RealNVP on MNIST."""

from zoo.configs import default


def get_config():
    return default.get_config(
        name="realnvp_mnist",
        summary="RealNVP on MNIST.",
        family="ImageRealNVP",
        model={"scales": 3, "width": 32, "blocks": 2},
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
            "title": "Dinh et al., Density estimation using Real NVP, 2016",
            "url": "https://arxiv.org/abs/1605.08803",
            "result": "1.06 bits/dim",
        },
    )

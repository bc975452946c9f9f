"""Flow++ on MNIST, small."""

from zoo.configs import default


def get_config():
    return default.get_config(
        name="flowpp_mnist",
        summary="Flow++ on MNIST, small.",
        family="FlowPlusPlus",
        model={
            "couplings": (4, 2, 3),
            "width": 32,
            "blocks": 3,
            "heads": 4,
            "components": 8,
            "dropout": 0.0,
        },
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
            "title": "Ho et al., Flow++, 2019",
            "url": "https://arxiv.org/abs/1902.00275",
            "result": "",
        },
    )

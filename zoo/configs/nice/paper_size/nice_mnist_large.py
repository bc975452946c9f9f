"""NICE on MNIST, of the paper's size."""

from zoo.configs import default
from zoo.configs.nice import PAPER


def get_config():
    return default.get_config(
        name="nice_mnist_large",
        summary="NICE on MNIST, of the paper's size.",
        family="NICE",
        model={},
        data={"source": "tfds", "name": "mnist", "height": 28, "width": 28, "channels": 1},
        train={
            "batch_size": 100,
            "optimizer": "adam",
            "learning_rate": 0.001,
            "steps": 900000,
            "eval_every": 5000,
            "jit_compile": True,
            "steps_per_execution": 20,
        },
        paper=PAPER | {"result": "1980.50 nats with the paper's preprocessing"},
    )

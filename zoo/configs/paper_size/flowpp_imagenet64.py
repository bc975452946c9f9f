"""Flow++ on ImageNet 64 x 64: the layout for CIFAR-10, wider."""

from zoo.configs import default


def get_config():
    return default.get_config(
        name="flowpp_imagenet64",
        summary="Flow++ on ImageNet 64 x 64: the layout for CIFAR-10, wider.",
        family="FlowPlusPlus",
        model={
            "width": 96,
            "blocks": 10,
            "dropout": 0.0,
            "dequantization_width": 96,
            "dequantization_components": 32,
            "dequantization_heads": 4,
            "dequantization_blocks": 8,
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
            "batch_size": 32,
            "learning_rate": 0.0003,
            "schedule": "constant",
            "warmup": 5000,
            "clip_norm": 1.0,
            "ema": 0.9992,
            "steps": 500000,
        },
        paper={
            "title": "Ho et al., Flow++, 2019",
            "url": "https://arxiv.org/abs/1902.00275",
            "result": "3.69 bits/dim",
        },
    )

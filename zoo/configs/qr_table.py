"""Linear flow by QR factors, for a table of numbers: a Gaussian."""

from zoo.configs import default


def get_config():
    return default.get_config(
        name="qr_table",
        summary="Linear flow by QR factors, for a table of numbers: a Gaussian.",
        family="QRFlow",
        data={"source": "table"},
        train={
            "steps": 2000,
            "batch_size": 256,
            "learning_rate": 0.01,
            "eval_every": 250,
            "steps_per_execution": 50,
        },
        paper={
            "title": "Hoogeboom, van den Berg & Welling, Emerging Convolutions for Generative Normalizing Flows, 2019",
            "url": "https://arxiv.org/abs/1901.11137",
        },
    )

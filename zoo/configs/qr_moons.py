"""Linear flow by QR factors, on two moons."""

from zoo.configs import default


def get_config():
    return default.get_config(
        name="qr_moons",
        summary="Linear flow by QR factors, on two moons.",
        family="QRFlow",
        data={"name": "two_moons"},
        train={"steps": 2000, "learning_rate": 0.01},
        paper={
            "title": "Hoogeboom et al., Emerging Convolutions for Generative Normalizing Flows, 2019",
            "url": "https://arxiv.org/abs/1901.11137",
        },
    )

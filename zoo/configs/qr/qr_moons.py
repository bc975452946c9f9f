"""Linear flow by QR factors, on two moons."""

from zoo.configs import default
from zoo.configs.qr import PAPER


def get_config():
    return default.get_config(
        name="qr_moons",
        summary="Linear flow by QR factors, on two moons.",
        family="QRFlow",
        data={"name": "two_moons"},
        train={"steps": 2000, "learning_rate": 0.01},
        paper=PAPER,
    )

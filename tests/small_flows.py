"""Small flows for tests: one of each family, cheap to build and to compile."""

import functools

import numpy as np
import tensorflow as tf

from tfflows import models
from tfflows.networks import AutoregressiveNetwork

FLOWS = {
    "mixture_cdf_uniform": lambda: models.MixtureCDFFlow(1, components=3),
    "mixture_cdf_beta": lambda: models.MixtureCDFFlow(1, 3, base="beta(5,5)"),
    "mixture_cdf_normal": lambda: models.MixtureCDFFlow(1, 3, "logistic", base="normal"),
    "autoregressive_mixture": lambda: models.AutoregressiveMixture(
        2, components=3, hidden_units=(16, 16)
    ),
    "affine": lambda: models.AffineFlow(2),
    "lu": lambda: models.LUFlow(2),
    "realnvp": lambda: models.RealNVP(2, layers=2, hidden_units=(16,)),
    "maf": lambda: models.MAF(2, layers=2, hidden_units=(16, 16)),
    "iaf": lambda: models.IAF(2, layers=2, hidden_units=(16, 16)),
    "nsf": lambda: models.NSF(2, layers=2, hidden_units=(16,), bins=4),
    "nsf_ar": lambda: models.NSF(
        2, layers=1, autoregressive=True, hidden_units=(16, 16), bins=4, residual=True, linear="lu"
    ),
    "quadratic_spline_bounded": lambda: models.NSF(
        2, layers=1, hidden_units=(16,), bins=4, spline="quadratic", tails="bounded"
    ),
    "cubic_spline": lambda: models.NSF(2, layers=1, hidden_units=(16,), bins=4, spline="cubic"),
    "naf": lambda: models.NAF(2, layers=1, hidden_units=(16,), units=3),
    "sos": lambda: models.SOSFlow(
        2, layers=1, autoregressive=False, hidden_units=(16,), degree=2, terms=2
    ),
    "umnn": lambda: models.UMNN(
        2,
        layers=1,
        autoregressive=False,
        hidden_units=(16,),
        embedding=3,
        integrand_units=(8,),
        nodes=6,
    ),
    "planar": lambda: models.PlanarFlow(2, layers=2),
    "radial": lambda: models.RadialFlow(2, layers=2),
    "sylvester": lambda: models.SylvesterFlow(2, layers=2),
    "householder": lambda: models.HouseholderFlow(2, layers=2, bins=4),
    "qr": lambda: models.QRFlow(2),
    "recurrent": lambda: models.RecurrentFlow(2, layers=1, hidden_units=(8,), bins=4),
    "finite_dependency": lambda: models.RecurrentFlow(
        2, layers=2, network="finite", hidden_units=(8,), last=1, map="affine"
    ),
    "residual_flow": lambda: models.ResidualFlow(2, layers=2, hidden_units=(8, 8)),
    "ffjord": lambda: models.FFJORD(2, hidden_units=(8,)),
}


def shake(flow, seed=0, scale=0.3):
    """Moves a flow's trainable variables away from their initial values."""
    rng = np.random.default_rng(seed)
    for variable in flow.trainable_variables:
        variable.assign_add(scale * rng.normal(size=variable.shape).astype("float32"))
    return flow


def made(params, size, seed, scale):
    """A masked network that is not zero."""
    network = AutoregressiveNetwork(params, size, (8, 8), activation="tanh")
    network(tf.zeros([1, size]))
    rng = np.random.default_rng(seed)
    for variable in network.variables:
        variable.assign_add(scale * rng.normal(size=variable.shape).astype("float32"))
    return network


@functools.cache
def trained_for_a_moment(name):
    """The named flow, its ActNorms initialised and its weights moved; do not change it."""
    flow = FLOWS[name]()
    flow.initialize(np.random.default_rng(1).normal(size=(100, *flow.event_shape)))
    return shake(flow)

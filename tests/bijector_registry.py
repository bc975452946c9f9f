"""The registry of bijectors that must pass `tests/bijector_checks.py`."""

from __future__ import annotations

import functools

import numpy as np
import tensorflow as tf

from tests.bijector_checks import BATCH, Case
from tfflows import bijectors as tb
from tfflows import networks

SIZE, CONTEXT = 5, 3
MAPS = {
    "additive": tb.Additive(),
    "affine": tb.Affine(),
    "spline": tb.RationalQuadraticSpline(bins=5),
    "gaussian_mixture_cdf": tb.MixtureCDF(4, "normal", "normal"),
    "logistic_mixture_cdf": tb.MixtureCDF(4, "logistic", "logistic"),
}
_UNIT_MAPS = {
    "gaussian_mixture_to_uniform": tb.MixtureCDF(4, "normal", "uniform"),
    "logistic_mixture_to_uniform": tb.MixtureCDF(4, "logistic", "uniform"),
}


def _mlp(dtype, residual=False):
    network = networks.ResidualMLP if residual else networks.MLP
    return lambda outputs: network(outputs, (8, 8), activation="tanh", dtype=dtype)


def _coupling(map, residual=False, context=None):
    mask = [True, False, True, False, True]
    return lambda dtype: tb.Coupling(mask, map, _mlp(dtype, residual), context)


def _autoregressive(map, residual=False, context=None):
    def build(dtype):
        def network(params):
            return networks.AutoregressiveNetwork(
                params,
                SIZE,
                (12, 12),
                activation="tanh",
                residual=residual,
                conditional_event_shape=context,
                dtype=dtype,
            )

        return tb.MaskedAutoregressive(SIZE, map, network, context)

    return build


def _act_norm(dtype):
    norm = tb.ActNorm(SIZE, dtype)
    norm.initialize_from(tf.constant(np.random.default_rng(5).normal(2, 3, (50, SIZE)), dtype))
    return norm


def _standardize(dtype):
    bijector = tb.Standardize(SIZE, dtype)
    bijector.set_statistics(np.arange(SIZE) - 2.0, np.arange(SIZE) + 0.5)
    return bijector


def _marginals(dtype):
    bijector = tb.Marginals(SIZE, bins=6, dtype=dtype)
    rows = np.random.default_rng(6).standard_t(2, (200, SIZE))
    bijector.initialize_from(tf.constant(rows, dtype))
    return bijector


def _registry() -> dict[str, Case]:
    cases = {
        "act_norm": Case(_act_norm),
        "standardize": Case(_standardize),
        # Data grow with the exponential of the latents.
        "marginals": Case(_marginals, extremes=(1e-30, 1e-4, 3.0, 20.0)),
        "full_affine": Case(lambda dtype: tb.FullAffine(SIZE, dtype)),
        "lu_linear": Case(lambda dtype: tb.LULinear(SIZE, dtype)),
        "permutation": Case(lambda dtype: tb.random_permutation(SIZE, 3)),
        "reversal": Case(lambda dtype: tb.reversal(SIZE)),
        "chain": Case(
            lambda dtype: tb.Chain(
                [_act_norm(dtype), tb.reversal(SIZE), _coupling(MAPS["affine"])(dtype)]
            )
        ),
        "iaf": Case(
            lambda dtype: tb.Invert(_autoregressive(MAPS["affine"])(dtype)),
            extremes=(1e-30, 1e-4, 3.0, 20.0),
        ),
        "conditional_chain": Case(
            lambda dtype: tb.Chain(
                [
                    _coupling(MAPS["affine"], context=(CONTEXT,))(dtype),
                    tb.reversal(SIZE),
                    tb.Invert(_autoregressive(MAPS["affine"], context=(CONTEXT,))(dtype)),
                ]
            ),
            context_shape=(CONTEXT,),
            extremes=(1e-30, 1e-4, 3.0, 20.0),
        ),
    }
    for name, map in {**MAPS, **_UNIT_MAPS}.items():
        # Data far outside of a mixture have latents that round to 0 or 1: no way back.
        latents = "unit" if name in _UNIT_MAPS else "real"
        cases[f"elementwise_{name}"] = Case(
            lambda dtype, map=map: tb.Elementwise(map, SIZE, dtype), latents=latents
        )
        cases[f"autoregressive_{name}"] = Case(_autoregressive(map), latents=latents)
        if latents == "real":
            cases[f"coupling_{name}"] = Case(_coupling(map))
    for kind, make in (("coupling", _coupling), ("autoregressive", _autoregressive)):
        cases[f"{kind}_residual"] = Case(make(MAPS["affine"], residual=True))
        for name in ("affine", "spline"):
            cases[f"{kind}_{name}_conditional"] = Case(
                make(MAPS[name], context=(CONTEXT,)), context_shape=(CONTEXT,)
            )
        cases[f"{kind}_residual_conditional"] = Case(
            make(MAPS["affine"], residual=True, context=(CONTEXT,)), context_shape=(CONTEXT,)
        )
    return cases


class _UnitCase(Case):
    """A map of the unit cube onto itself; see `tests/bijectors/test_elementwise_maps.py`."""

    def events(self, dtype, seed=0, batch=BATCH):
        """Random data in the unit cube."""
        rng = np.random.default_rng(seed)
        return tf.constant(rng.uniform(0.02, 0.98, (batch, *self.event_shape)), dtype)

    latent_events = events


def _of_two(map):
    """Of two dimensions, so that the root searches compile in time."""

    def network(params, dtype):
        return networks.AutoregressiveNetwork(params, 2, (6, 6), activation="tanh", dtype=dtype)

    return {
        "elementwise": lambda dtype: tb.Elementwise(map(dtype), 2, dtype),
        "coupling": lambda dtype: tb.Coupling([True, False], map(dtype), _mlp(dtype)),
        "autoregressive": lambda dtype: tb.MaskedAutoregressive(
            2, map(dtype), lambda params: network(params, dtype)
        ),
    }


def _elementwise_map_cases() -> dict[str, Case]:
    maps = {
        "linear_spline": lambda dtype: tb.LinearSpline(bins=4),
        "quadratic_spline": lambda dtype: tb.QuadraticSpline(bins=4),
        "cubic_spline": lambda dtype: tb.CubicSpline(bins=4),
        "sigmoid_affine": lambda dtype: tb.SigmoidAffine(),
        "deep_sigmoidal": lambda dtype: tb.DeepSigmoidal(units=3, layers=1),
        "sum_of_squares": lambda dtype: tb.SumOfSquares(degree=2, terms=2),
        "monotonic_integral": lambda dtype: tb.MonotonicIntegral(3, (8,), nodes=6, dtype=dtype),
    }
    cases = {
        f"{kind}_{name}": Case(build, event_shape=(2,))
        for name, map in maps.items()
        for kind, build in _of_two(map).items()
    }
    for name, map in (
        ("quadratic_spline", tb.QuadraticSpline(bins=4, tails="bounded")),
        ("spline", tb.RationalQuadraticSpline(bins=4, tails="bounded")),
    ):
        cases[f"elementwise_bounded_{name}"] = _UnitCase(
            lambda dtype, map=map: tb.Elementwise(map, 2, dtype), event_shape=(2,), extremes=()
        )
    return cases


def _sampling_cases() -> dict[str, Case]:
    return {"box_muller": Case(lambda dtype: tb.BoxMuller(6), event_shape=(6,), latents="unit")}


class _GraphCase(Case):
    """A map of graphs of at most 4 nodes, with contexts that say what is there."""

    def keywords(self, dtype, seed=2, batch=BATCH):
        """Graphs of 1 to 4 nodes, with edges of two types or none."""
        rng = np.random.default_rng(seed)
        present = np.arange(4) < rng.integers(1, 5, (batch, 1))
        first, second = np.triu_indices(4, 1)
        edges = rng.integers(0, 3, (batch, 6)) * (present[:, first] & present[:, second])
        return {"context": tf.constant(np.concatenate([present, edges], 1), dtype)}


def _graph_cases() -> dict[str, Case]:
    def of_nodes(outputs, dtype):
        return networks.RelationalGraphNetwork(outputs, 8, 2, relations=2, dtype=dtype)

    def of_both(outputs, dtype):
        return networks.EdgeGraphNetwork(outputs, 8, 2, relations=2, dtype=dtype)

    def elementwise(dtype):
        maps = [tb.InvertibleConvolution1x1(n, seed=n, dtype=dtype) for n in (3, 2)]
        return tb.GraphElementwise(4, 3, maps[0], 2, maps[1])

    affine, spline = tb.Affine(), tb.RationalQuadraticSpline(bins=4)
    return {
        "graph_elementwise": _GraphCase(elementwise, event_shape=(24,), context_shape=(10,)),
        "graph_coupling_of_nodes": _GraphCase(
            lambda dtype: tb.GraphCoupling(4, 3, affine, lambda n: of_nodes(n, dtype)),
            event_shape=(12,),
            context_shape=(10,),
        ),
        "graph_coupling": _GraphCase(
            lambda dtype: tb.GraphCoupling(4, 3, affine, lambda n: of_both(n, dtype), 2, spline),
            event_shape=(24,),
            context_shape=(10,),
        ),
    }


def _free_form_cases() -> dict[str, Case]:
    def residual(dtype, context=None):
        network = functools.partial(networks.LipschitzMLP, hidden_units=(16, 16), dtype=dtype)
        return tb.Residual(SIZE, network, context)

    def continuous(dtype, context=None):
        network = functools.partial(networks.ConcatSquashMLP, hidden_units=(8,), dtype=dtype)
        return tb.ContinuousFlow(2, network, context, rtol=3e-8, atol=3e-8)

    cases = {}
    for name, build, size in (("residual", residual, SIZE), ("continuous", continuous, 2)):
        cases[name] = Case(build, event_shape=(size,))
        cases[f"{name}_conditional"] = Case(
            functools.partial(build, context=(CONTEXT,)),
            event_shape=(size,),
            context_shape=(CONTEXT,),
        )
    return cases


def _low_rank_cases() -> dict[str, Case]:
    def along(network):
        def build(dtype):
            def make(params):
                return network(params, SIZE, hidden_units=(6, 5), dtype=dtype)

            return tb.MaskedAutoregressive(SIZE, MAPS["affine"], make, (CONTEXT,))

        return Case(build, context_shape=(CONTEXT,))

    finite = functools.partial(networks.FiniteDependencyNetwork, last=2, activation="tanh")
    cases = {
        "planar": Case(lambda dtype: tb.Planar(SIZE, dtype=dtype)),
        "planar_conditional": Case(
            lambda dtype: tb.Planar(SIZE, (CONTEXT,), dtype=dtype), context_shape=(CONTEXT,)
        ),
        "radial": Case(lambda dtype: tb.Radial(SIZE, dtype=dtype)),
        "householder": Case(lambda dtype: tb.Householder(SIZE, 3, dtype=dtype)),
        "qr_linear": Case(lambda dtype: tb.QRLinear(SIZE, dtype=dtype)),
        "recurrent": along(networks.RecurrentNetwork),
        "finite_dependency": along(finite),
    }
    for form, keywords in (
        ("orthogonal", {"columns": 3}),
        ("householder", {"reflections": 3}),
        ("triangular", {"reverse": True}),
    ):
        cases[f"sylvester_{form}"] = Case(
            lambda dtype, form=form, keywords=keywords: tb.Sylvester(
                SIZE, form=form, dtype=dtype, **keywords
            )
        )
    return cases


def _convolution_cases() -> dict[str, Case]:
    cases = {}
    for kind in ("plain", "lu", "qr"):
        for suffix, shape in (("", (2, 3, 3)), ("_one_channel", (1, 2, 1))):
            cases[f"convolution1x1_{kind}{suffix}"] = Case(
                lambda dtype, kind=kind, channels=shape[-1]: tb.InvertibleConvolution1x1(
                    channels, kind, dtype=dtype
                ),
                event_shape=shape,
            )
    for name, convolution in (
        ("periodic_convolution", tb.PeriodicConvolution),
        ("emerging_convolution", tb.EmergingConvolution),
    ):
        for suffix, shape in (("", (4, 5, 2)), ("_one_channel", (2, 3, 1))):
            cases[f"{name}{suffix}"] = Case(
                lambda dtype, shape=shape, convolution=convolution: convolution(shape, dtype=dtype),
                event_shape=shape,
            )
    return cases


def _conv_net(dtype):
    return lambda outputs: networks.ConvNet(outputs, 6, dtype=dtype)


def _image_cases() -> dict[str, Case]:
    shape = (2, 4, 2)

    def channels(map, dtype, network=_conv_net, context=None, keep_last=False, shape=shape):
        return tb.ChannelCoupling(shape, map, network(dtype), keep_last, context)

    def masked(mask, dtype, map=MAPS["affine"], network=_conv_net):
        return tb.MaskedCoupling(mask, map, network(dtype))

    def multi_scale(dtype):
        level = tb.Chain([tb.Squeeze(), channels(MAPS["affine"], dtype, shape=(1, 2, 8))])
        rest = channels(MAPS["affine"], dtype, shape=(1, 2, 4))
        return tb.MultiScale(shape, [level, rest])

    def residual_net(dtype):
        return lambda outputs: networks.ResidualConvNet(outputs, 6, blocks=1, dtype=dtype)

    def attention_net(dtype, heads=2):
        return lambda outputs: networks.GatedAttentionNet(outputs, 6, 1, heads, dtype=dtype)

    squeezed = {"event_shape": (2, 4, 2), "latent_shape": (1, 2, 8)}
    cases = {
        "squeeze_depth": Case(lambda dtype: tb.Squeeze(ordering="depth"), **squeezed),
        "squeeze_channel": Case(lambda dtype: tb.Squeeze(ordering="channel"), **squeezed),
        "checkerboard_squeeze": Case(
            lambda dtype: tb.CheckerboardSqueeze(), event_shape=(3, 4, 2), latent_shape=(3, 2, 4)
        ),
        "flatten": Case(lambda dtype: tb.Flatten(shape), event_shape=shape, latent_shape=(16,)),
        "multi_scale": Case(multi_scale, event_shape=shape, latent_shape=(16,)),
        "logit": Case(
            lambda dtype: tb.Logit(levels=1.0, margin=0.49), extremes=(1e-30, 1e-4, 3.0, 20.0)
        ),
        "recomputing_chain": Case(
            lambda dtype: tb.RecomputingChain(
                [tb.ActNorm(2, dtype), channels(MAPS["affine"], dtype, context=(CONTEXT,))]
            ),
            event_shape=shape,
            context_shape=(CONTEXT,),
        ),
        "rescale": Case(lambda dtype: tb.Rescale(4.0)),
        "elementwise_scale": Case(lambda dtype: tb.Elementwise(tb.Scale(), SIZE, dtype)),
        "act_norm_of_images": Case(lambda dtype: tb.ActNorm(shape, dtype), event_shape=shape),
        "halves": Case(
            lambda dtype: tb.ChannelBlockwise(
                tb.InvertibleConvolution1x1(2, "plain", dtype=dtype), tb.ActNorm(2, dtype)
            ),
            event_shape=(4,),
        ),
        "channel_coupling_additive": Case(
            lambda dtype: channels(MAPS["additive"], dtype), event_shape=shape
        ),
        "channel_coupling_affine": Case(
            lambda dtype: channels(MAPS["affine"], dtype, keep_last=True), event_shape=shape
        ),
        "channel_coupling_odd": Case(
            lambda dtype: channels(MAPS["affine"], dtype, shape=(2, 2, 3)), event_shape=(2, 2, 3)
        ),
        "channel_coupling_attention": Case(
            lambda dtype: channels(tb.LogisticMixtureAffine(3), dtype, attention_net),
            event_shape=shape,
        ),
        "channel_coupling_attention_conditional": Case(
            lambda dtype: channels(
                MAPS["affine"], dtype, attention_net, (*shape[:2], CONTEXT), shape=shape
            ),
            event_shape=shape,
            context_shape=(*shape[:2], CONTEXT),
        ),
        "channel_coupling_conditional": Case(
            lambda dtype: channels(MAPS["affine"], dtype, context=(CONTEXT,)),
            event_shape=shape,
            context_shape=(CONTEXT,),
        ),
        "masked_coupling_checkerboard": Case(
            lambda dtype: masked(tb.checkerboard_mask(shape), dtype, network=residual_net),
            event_shape=shape,
        ),
        "masked_coupling_mixture": Case(
            lambda dtype: masked(
                tb.checkerboard_mask(shape, odd=True), dtype, tb.LogisticMixtureAffine(3)
            ),
            event_shape=shape,
        ),
        "masked_coupling_channels": Case(
            lambda dtype: masked(tb.channel_mask(shape), dtype), event_shape=shape
        ),
        "context_affine": Case(
            lambda dtype: tb.ContextAffine(2, MAPS["affine"], (CONTEXT,), dtype),
            event_shape=shape,
            context_shape=(CONTEXT,),
        ),
    }
    for side in ("top", "left"):
        cases[f"masked_coupling_{side}"] = Case(
            lambda dtype, side=side: masked(tb.half_mask(shape, side), dtype), event_shape=shape
        )
    return cases


REGISTRY = (
    _registry()
    | _low_rank_cases()
    | _elementwise_map_cases()
    | _sampling_cases()
    | _free_form_cases()
    | _convolution_cases()
    | _image_cases()
    | _graph_cases()
)

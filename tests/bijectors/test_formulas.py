"""Elementwise maps against their papers' formulas, written out in numpy and float64.

Each map has a counterpart here that shares no code with it. Values, log-derivatives and inverses
are compared at points in every bin, beside every knot and in both tails.
"""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from scipy import special
from scipy.interpolate import CubicHermiteSpline

from tfflows import bijectors as tb

tfb = tfp.bijectors

BINS, BOUND, MINIMUM = 6, 3.0, 1e-3
# Positions within a bin, its ends nearly included.
WITHIN = np.array([1e-7, 1e-3, 0.13, 0.5, 0.71, 1.0 - 1e-3, 1.0 - 1e-7])


def shares(raw):
    """Shares of 1, none below the minimum."""
    exponentials = np.exp(raw - raw.max())
    return MINIMUM + (1.0 - MINIMUM * len(raw)) * exponentials / exponentials.sum()


def knots(widths, tails):
    low, length = (-BOUND, 2.0 * BOUND) if tails == "identity" else (0.0, 1.0)
    return low + length * np.concatenate([[0.0], np.cumsum(widths)])


def slope_at_knot(raw):
    """`min + softplus(raw + shift)`, where the shift makes it 1 at 0."""
    return MINIMUM + np.log1p(np.exp(raw + np.log(np.expm1(1.0 - MINIMUM))))


@dataclasses.dataclass
class Spline:
    """A spline as a function of one number: knots of its argument, and value and derivative."""

    argument_knots: np.ndarray
    function: object

    def points(self):
        left, right = self.argument_knots[:-1, np.newaxis], self.argument_knots[1:, np.newaxis]
        return np.ravel(left + (right - left) * WITHIN)

    def __call__(self, points):
        return np.array([self.function(point) for point in points]).T


def rational_quadratic(raw, tails):
    """Durkan et al., Neural Spline Flows, 2019, equations 4 and 5; from latents to data."""
    x = knots(shares(raw[:BINS]), tails)
    y = knots(shares(raw[BINS : 2 * BINS]), tails)
    delta = slope_at_knot(raw[2 * BINS :])
    if tails == "identity":
        delta = np.concatenate([[1.0], delta, [1.0]])

    def value_and_derivative(point):
        k = int(np.searchsorted(x, point, side="right")) - 1
        w, h = x[k + 1] - x[k], y[k + 1] - y[k]
        s, xi = h / w, (point - x[k]) / w
        denominator = s + (delta[k + 1] + delta[k] - 2.0 * s) * xi * (1.0 - xi)
        value = y[k] + h * (s * xi**2 + delta[k] * xi * (1.0 - xi)) / denominator
        numerator = delta[k + 1] * xi**2 + 2.0 * s * xi * (1.0 - xi) + delta[k] * (1.0 - xi) ** 2
        return value, s**2 * numerator / denominator**2

    return Spline(x, value_and_derivative)


def linear(raw, tails):
    """The CDF of a histogram; from data to latents."""
    probabilities = shares(raw)
    y, x = knots(np.full(BINS, 1.0 / BINS), tails), knots(probabilities, tails)

    def value_and_derivative(point):
        k = int(np.searchsorted(y, point, side="right")) - 1
        return np.interp(point, y, x), probabilities[k] * BINS

    return Spline(y, value_and_derivative)


def quadratic(raw, tails):
    """The integral of a density that is linear between knots; from data to latents."""
    widths = shares(raw[:BINS])
    density = slope_at_knot(raw[BINS:])
    if tails == "identity":
        # The density at both ends is what is 1 after the division by the whole integral: solve
        # end = inner + end * (first + last width) / 2 for it.
        inner = np.concatenate([[0.0], density, [0.0]])
        integral = np.sum(widths * (inner[1:] + inner[:-1]) / 2.0)
        end = integral / (1.0 - (widths[0] + widths[-1]) / 2.0)
        density = np.concatenate([[end], density, [end]])
    density = density / np.sum(widths * (density[1:] + density[:-1]) / 2.0)
    density = MINIMUM + (1.0 - MINIMUM) * density
    y = knots(widths, tails)
    mass = np.diff(y) * (density[1:] + density[:-1]) / 2.0
    x = y[0] + np.concatenate([[0.0], np.cumsum(mass)])

    def value_and_derivative(point):
        k = int(np.searchsorted(y, point, side="right")) - 1
        there = np.interp(point, y, density)
        return x[k] + (point - y[k]) * (density[k] + there) / 2.0, there

    return Spline(y, value_and_derivative)


def cubic(raw, tails):
    """Steffen's slopes, and the cubic Hermite spline of scipy; from data to latents."""
    widths, heights = shares(raw[:BINS]), shares(raw[BINS : 2 * BINS])
    s = heights / widths
    p = (s[:-1] * widths[1:] + s[1:] * widths[:-1]) / (widths[:-1] + widths[1:])
    inner = 2.0 * np.minimum(np.minimum(s[:-1], s[1:]), 0.5 * p)
    # Ends: between nothing and three times the bin's own slope, which it is at 0.
    third = (1.0 / 3.0 - MINIMUM) / (1.0 - 2.0 * MINIMUM)
    logit = raw[2 * BINS :] + np.log(third / (1.0 - third))
    ends = 3.0 * (MINIMUM + (1.0 - 2.0 * MINIMUM) / (1.0 + np.exp(-logit))) * s[[0, -1]]
    y, x = knots(widths, tails), knots(heights, tails)
    spline = CubicHermiteSpline(y, x, np.concatenate([ends[:1], inner, ends[1:]]))
    return Spline(y, lambda point: (spline(point), spline(point, 1)))


# Map, formula, and whether the formula goes from latents to data.
SPLINES = {
    "rational_quadratic": (tb.RationalQuadraticSpline, rational_quadratic, True),
    "linear": (tb.LinearSpline, linear, False),
    "quadratic": (tb.QuadraticSpline, quadratic, False),
    "cubic": (tb.CubicSpline, cubic, False),
}


@pytest.mark.parametrize("scale", [1.0, 2.5])
@pytest.mark.parametrize("tails", ["identity", "bounded"])
@pytest.mark.parametrize("name", SPLINES)
def test_splines_by_their_formulas(name, tails, scale):
    make, formula, from_latents = SPLINES[name]
    map = make(BINS, BOUND, min_bin=MINIMUM, tails=tails)
    for seed in range(2):
        raw = scale * np.random.default_rng(seed).normal(size=map.parameters)
        expected = formula(raw, tails)
        points = expected.points()
        assert len(points) == BINS * len(WITHIN)
        value, derivative = expected(points)
        bijector = map(tf.constant(raw))
        there, back = bijector.forward_and_log_det, bijector.inverse_and_log_det
        if not from_latents:
            there, back = back, there
        got, log_det = there(tf.constant(points))
        np.testing.assert_allclose(got, value, atol=1e-12)
        np.testing.assert_allclose(log_det, np.log(derivative), atol=1e-9)
        again, log_det = back(tf.constant(value))
        np.testing.assert_allclose(again, points, atol=1e-9)
        np.testing.assert_allclose(log_det, -np.log(derivative), atol=1e-7)


@pytest.mark.parametrize("name", SPLINES)
def test_splines_in_float32_by_their_formulas(name):
    make, formula, from_latents = SPLINES[name]
    map = make(BINS, BOUND, min_bin=MINIMUM)
    raw = np.random.default_rng(4).normal(size=map.parameters).astype("float32")
    expected = formula(raw.astype("float64"), "identity")
    points = expected.points().astype("float32")
    value, derivative = expected(np.clip(points.astype("float64"), -BOUND, BOUND - 1e-9))
    bijector = map(tf.constant(raw))
    joint = bijector.forward_and_log_det if from_latents else bijector.inverse_and_log_det
    got, log_det = joint(tf.constant(points))
    np.testing.assert_allclose(got, value, atol=3e-6)
    np.testing.assert_allclose(log_det, np.log(derivative), atol=2e-3)


def test_rational_quadratic_spline_agrees_with_tfp():
    rng = np.random.default_rng(0)
    map = tb.RationalQuadraticSpline(BINS, BOUND)
    raw = rng.normal(size=[40, map.parameters])
    length = 2.0 * BOUND
    theirs = tfb.RationalQuadraticSpline(
        bin_widths=tf.constant([length * shares(r[:BINS]) for r in raw])[:, tf.newaxis],
        bin_heights=tf.constant([length * shares(r[BINS : 2 * BINS]) for r in raw])[:, tf.newaxis],
        knot_slopes=tf.constant(slope_at_knot(raw[:, 2 * BINS :]))[:, tf.newaxis],
        range_min=-BOUND,
    )
    points = tf.constant(np.tile(np.linspace(-1.3 * BOUND, 1.3 * BOUND, 157), [40, 1]))
    ours = map(tf.constant(raw)[:, tf.newaxis])
    for joint, value, log_det in (
        (ours.forward_and_log_det, theirs.forward, theirs.forward_log_det_jacobian),
        (ours.inverse_and_log_det, theirs.inverse, theirs.inverse_log_det_jacobian),
    ):
        got = joint(points)
        np.testing.assert_allclose(got[0], value(points), atol=1e-9)
        np.testing.assert_allclose(got[1], log_det(tf.identity(points), 0), atol=1e-8)


# Mixtures.

COMPONENTS = 4


def mixture(component, raw, y):
    """log F, log(1 - F) and log f of a mixture at `y`, exact in both tails."""
    logits, loc, raw_scale = np.split(raw, 3)
    log_weights = logits - special.logsumexp(logits)
    loc = loc + np.linspace(-2.0, 2.0, COMPONENTS)
    log_scale = 7.0 * np.tanh(raw_scale / 7.0)
    t = (y[:, np.newaxis] - loc) / np.exp(log_scale)
    if component == "normal":
        log_cdf, log_sf = special.log_ndtr(t), special.log_ndtr(-t)
        log_pdf = -0.5 * t**2 - 0.5 * np.log(2.0 * np.pi)
    else:
        log_cdf, log_sf = special.log_expit(t), special.log_expit(-t)
        log_pdf = log_cdf + log_sf
    terms = (log_cdf, log_sf, log_pdf - log_scale)
    return [special.logsumexp(log_weights + term, axis=-1) for term in terms]


def latent(target, log_cdf, log_sf, log_pdf):
    """The latent and its log-derivative by the target's quantile function."""
    if target == "logistic":
        return log_cdf - log_sf, log_pdf - log_cdf - log_sf
    # scipy's ndtri_exp is exact for tiny probabilities, so each tail is taken from its own side.
    lower = log_cdf < log_sf
    x = np.where(
        lower,
        special.ndtri_exp(np.where(lower, log_cdf, -1.0)),
        -special.ndtri_exp(np.where(lower, -1.0, log_sf)),
    )
    return x, log_pdf + 0.5 * x**2 + 0.5 * np.log(2.0 * np.pi)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("target", ["normal", "logistic"])
@pytest.mark.parametrize("component", ["normal", "logistic"])
def test_mixtures_by_their_formulas_in_both_far_tails(component, target, dtype):
    map = tb.MixtureCDF(COMPONENTS, component, target)
    raw = 0.5 * np.random.default_rng(1).normal(size=map.parameters).astype(dtype)
    y = np.array([0.0, 0.3, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 30.0, 45.0, 60.0])
    y = np.concatenate([-y[:0:-1], y]).astype(dtype)
    log_cdf, log_sf, log_pdf = mixture(component, raw.astype("float64"), y.astype("float64"))
    assert log_sf.min() < -30.0 and log_cdf.min() < -30.0
    x, slope = latent(target, log_cdf, log_sf, log_pdf)
    precision = {"float64": 1e-9, "float32": 2e-5}[dtype]
    got, log_det = map(tf.constant(raw)).inverse_and_log_det(tf.constant(y))
    np.testing.assert_allclose(got, x, rtol=precision, atol=precision)
    # The square of a latent in the far tail is taken from the square of a datum.
    np.testing.assert_allclose(log_det, slope, atol=precision * (10.0 + np.max(np.abs(log_pdf))))
    back, log_det = map(tf.constant(raw)).forward_and_log_det(tf.constant(x, dtype))
    np.testing.assert_allclose(back, y, rtol=30 * precision, atol=30 * precision)


@pytest.mark.parametrize("component", ["normal", "logistic"])
def test_mixtures_to_uniform_by_their_formulas(component):
    map = tb.MixtureCDF(COMPONENTS, component, "uniform")
    raw = 0.5 * np.random.default_rng(1).normal(size=map.parameters)
    y = np.linspace(-8.0, 5.0, 53)
    log_cdf, _, log_pdf = mixture(component, raw, y)
    got, log_det = map(tf.constant(raw)).inverse_and_log_det(tf.constant(y))
    np.testing.assert_allclose(got, np.exp(log_cdf), rtol=1e-12)
    np.testing.assert_allclose(log_det, log_pdf, rtol=1e-12)


def test_logistic_mixture_with_a_scale_and_shift_by_its_formula():
    """Ho et al., Flow++, 2019, section 3.2: `logit(F(y)) exp(s) + t`."""
    map = tb.LogisticMixtureAffine(COMPONENTS, bound=2.0)
    raw = 0.5 * np.random.default_rng(2).normal(size=map.parameters)
    y = np.concatenate([np.linspace(-6.0, 6.0, 25), [-60.0, 60.0]])
    x, slope = latent("logistic", *mixture("logistic", raw[2:], y))
    shift, log_scale = raw[0], 2.0 * np.tanh(raw[1] / 2.0)
    got, log_det = map(tf.constant(raw)).inverse_and_log_det(tf.constant(y))
    np.testing.assert_allclose(got, x * np.exp(log_scale) + shift, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(log_det, slope + log_scale, atol=1e-11)


# Free forms.


def test_deep_sigmoids_by_their_formula_in_both_far_tails():
    """Huang et al., Neural Autoregressive Flows, 2018, equation 8, in logarithms throughout."""
    units, layers = 4, 2
    map = tb.DeepSigmoidal(units, layers, bound=4.0, spread=1.0)
    raw = np.random.default_rng(3).normal(size=map.parameters)
    y = np.concatenate([np.linspace(-4.0, 4.0, 33), [-200.0, -30.0, 30.0, 200.0]])
    x, log_slope = y, np.zeros_like(y)
    for logits, slopes, shifts in raw.reshape(layers, 3, units):
        log_weights = logits - special.logsumexp(logits)
        log_a = 4.0 * np.tanh(slopes / 4.0)
        t = x[:, np.newaxis] * np.exp(log_a) + shifts + np.linspace(-1.0, 1.0, units)
        below, above = special.log_expit(t), special.log_expit(-t)
        log_f = special.logsumexp(log_weights + below, axis=-1)
        log_sf = special.logsumexp(log_weights + above, axis=-1)
        density = special.logsumexp(log_weights + log_a + below + above, axis=-1)
        x, log_slope = log_f - log_sf, log_slope + density - log_f - log_sf
    bijector = map(tf.constant(raw))
    got, log_det = bijector.inverse_and_log_det(tf.constant(y))
    np.testing.assert_allclose(got, x, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(log_det, log_slope, atol=1e-11)
    back, log_det = bijector.forward_and_log_det(tf.constant(x))
    np.testing.assert_allclose(back, y, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(log_det, -log_slope, atol=1e-9)


def test_sum_of_squares_by_its_formula_within_and_beyond_the_interval():
    """Jaini et al., Sum-of-Squares Polynomial Flow, 2019, equation 7, with straight tails."""
    degree, terms, bound, slope = 3, 2, 3.0, 1e-3
    map = tb.SumOfSquares(degree, terms, bound, min_slope=slope)
    raw = np.random.default_rng(0).normal(size=map.parameters)
    coefficients = 10.0 * np.tanh(raw[:-1].reshape(terms, degree + 1) / 10.0)
    coefficients = coefficients + [[1.0, -0.25, 0.0, 0.0], [1.0, 0.25, 0.0, 0.0]]
    polynomials = [np.polynomial.Polynomial(c) for c in coefficients]
    density = sum((p**2 for p in polynomials), np.polynomial.Polynomial([0.0])) / terms + slope
    integral = bound * density.integ()  # in units of the interval
    y = np.concatenate([np.linspace(-bound, bound, 41), [-40.0, -3.5, 3.001, 25.0]])
    near = np.clip(y, -bound, bound)
    derivative = density(near / bound)
    x = raw[-1] + integral(near / bound) + (y - near) * derivative
    bijector = map(tf.constant(raw))
    got, log_det = bijector.inverse_and_log_det(tf.constant(y))
    np.testing.assert_allclose(got, x, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(log_det, np.log(derivative), atol=1e-11)
    back, log_det = bijector.forward_and_log_det(tf.constant(x))
    np.testing.assert_allclose(back, y, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(log_det, -np.log(derivative), atol=1e-7)


# One line each, from latents to data.
SIMPLE = {
    "additive": (tb.Additive(), lambda raw, x: (x + raw[0], 0.0 * x)),
    "affine": (
        tb.Affine(bound=5.0),
        lambda raw, x: (
            x * np.exp(5.0 * np.tanh(raw[1] / 5.0)) + raw[0],
            5.0 * np.tanh(raw[1] / 5.0) + 0.0 * x,
        ),
    ),
    "scale": (
        tb.Scale(bound=20.0),
        lambda raw, x: (
            x * np.exp(20.0 * np.tanh(raw[0] / 20.0)),
            20.0 * np.tanh(raw[0] / 20.0) + 0.0 * x,
        ),
    ),
    "sigmoid_affine": (
        tb.SigmoidAffine(),
        lambda raw, x: (
            x / special.expit(2.0 + 8.0 * np.tanh(raw[1] / 8.0)) + raw[0],
            -special.log_expit(2.0 + 8.0 * np.tanh(raw[1] / 8.0)) + 0.0 * x,
        ),
    ),
}


@pytest.mark.parametrize("scale", [1.0, 20.0])
@pytest.mark.parametrize("name", SIMPLE)
def test_shifts_and_scales_by_their_formulas(name, scale):
    map, formula = SIMPLE[name]
    raw, x = scale * np.random.default_rng(5).normal(size=map.parameters), np.linspace(-9, 9, 19)
    value, log_slope = formula(raw, x)
    bijector = map(tf.constant(raw))
    got, log_det = bijector.forward_and_log_det(tf.constant(x))
    np.testing.assert_allclose(got, value, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(log_det, log_slope, atol=1e-12)
    back, log_det = bijector.inverse_and_log_det(tf.constant(value))
    np.testing.assert_allclose(back, x, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(log_det, -log_slope, atol=1e-12)

"""Toy densities in one and two dimensions, each with its exact log-density and entropy.

    >>> from tfflows.data import toy
    >>> moons = toy.get("two_moons")
    >>> x = moons.sample(1000, seed=0)
    >>> x.shape, moons.log_prob(x).shape
    ((1000, 2), (1000,))

The best mean log-likelihood that a model can reach on fresh samples is `-entropy`. Data lie
between about -4 and 4. This module needs only numpy.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from tfflows.data import quadrature


class Toy:
    """A density to draw from and to compare with.

    Attributes:
      name: its name.
      dim: number of dimensions.
      bounds: `(low, high)`, float64 `[dim]` each: a box for plots that holds nearly all draws.
      entropy: differential entropy in nats, to 1e-6.
    """

    def __init__(self, name: str, dim: int, entropy: float):
        self.name = name
        self.dim = dim
        self.entropy = entropy
        self.bounds = (np.full(dim, -4.0), np.full(dim, 4.0))

    def sample(self, n: int, seed: int) -> np.ndarray:
        """Draws `n` rows: float32 `[n, dim]`, a function of `(n, seed)` alone.

        Raises:
          ValueError: if `n` is negative.
        """
        if n < 0:
            raise ValueError(f"n: expected 0 or more, got {n}")
        return self._sample(n, np.random.default_rng(seed)).astype(np.float32)

    def log_prob(self, x: np.ndarray) -> np.ndarray:
        """Exact log-density.

        Args:
          x: points `[n, dim]`.

        Returns:
          float64 `[n]`, in nats; -inf outside the support.

        Raises:
          ValueError: if `x` has another shape.
        """
        x = np.asarray(x, np.float64)
        if x.ndim != 2 or x.shape[1] != self.dim:
            raise ValueError(f"x: expected shape [n, {self.dim}], got {list(x.shape)}")
        result = np.where(np.isnan(x).any(axis=1), np.nan, -np.inf)
        finite = np.isfinite(x).all(axis=1)
        result[finite] = quadrature.by_chunks(self._log_prob, x[finite])
        return result

    def _sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        raise NotImplementedError

    def _log_prob(self, x: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<Toy {self.name!r}, dim={self.dim}, entropy={self.entropy:.4f} nats>"


@dataclasses.dataclass(frozen=True)
class _Arc:
    """Part of a mixture: an arc of a circle (angles in degrees) with Gaussian noise about it."""

    weight: float
    scale: float
    centre: tuple[float, float] = (0.0, 0.0)
    radius: float = 0.0
    start: float = 0.0
    stop: float = 360.0

    def log_prob(self, x: np.ndarray) -> np.ndarray:
        angles = np.deg2rad((self.start, self.stop))
        return quadrature.log_arc(x, self.centre, self.radius, *angles, self.scale)


class _Arcs(Toy):
    """A mixture of noisy arcs; an arc of radius 0 is a Gaussian."""

    def __init__(self, name: str, entropy: float, arcs: list[_Arc]):
        super().__init__(name, 2, entropy)
        self.arcs = arcs

    def _sample(self, n, rng):
        part = rng.choice(len(self.arcs), size=n, p=[arc.weight for arc in self.arcs])
        start, stop, radius, scale = (
            np.array([getattr(arc, field) for arc in self.arcs])[part]
            for field in ("start", "stop", "radius", "scale")
        )
        centre = np.array([arc.centre for arc in self.arcs])[part]
        angle = np.deg2rad(start + (stop - start) * rng.random(n))
        direction = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        noise = rng.standard_normal((n, 2))
        return centre + radius[:, np.newaxis] * direction + scale[:, np.newaxis] * noise

    def _log_prob(self, x):
        parts = [np.log(arc.weight) + arc.log_prob(x) for arc in self.arcs]
        return np.logaddexp.reduce(parts, axis=0)


class _Checkerboard(Toy):
    """Uniform on the eight dark squares, of side 2, of a board of four by four."""

    def __init__(self):
        super().__init__("checkerboard", 2, float(np.log(32.0)))

    def _sample(self, n, rng):
        column = rng.integers(-2, 2, n)
        row = 2 * rng.integers(-1, 1, n) + column % 2
        low = 2 * np.stack([column, row], axis=1)
        x = (low + 2 * rng.random((n, 2))).astype(np.float32)
        # Rounding to float32 must not carry a point over the edge of its square.
        return np.minimum(x, np.nextafter(low + 2, -np.inf, dtype=np.float32))

    def _log_prob(self, x):
        square = np.floor(x / 2).astype(np.int64)
        dark = (square.sum(axis=1) % 2 == 0) & ((x >= -4) & (x < 4)).all(axis=1)
        return np.where(dark, -self.entropy, -np.inf)


class _Pinwheel(Toy):
    """Five Gaussian blades, twisted by an angle that grows with the distance from the hub.

    A rotation by an angle that depends only on the radius preserves area, so a point has the
    density of its untwisted point. (The usual pinwheel twists by the blade's own first coordinate,
    looks the same, and has no closed form.)
    """

    blades = 5
    mean = 2.0
    radial_scale = 0.5
    tangential_scale = 0.15

    def __init__(self):
        super().__init__("pinwheel", 2, _ENTROPY["pinwheel"])

    def _turn(self, radius, blade):
        return 2 * np.pi * blade / self.blades + 0.25 * np.exp(radius / 2)

    def _sample(self, n, rng):
        blade = rng.integers(self.blades, size=n)
        u = self.mean + self.radial_scale * rng.standard_normal(n)
        v = self.tangential_scale * rng.standard_normal(n)
        angle = np.arctan2(v, u) + self._turn(np.hypot(u, v), blade)
        return np.hypot(u, v)[:, np.newaxis] * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    def _log_prob(self, x):
        radius = np.hypot(x[:, 0], x[:, 1])[:, np.newaxis]
        angle = np.arctan2(x[:, 1], x[:, 0])[:, np.newaxis]
        angle = angle - self._turn(radius, np.arange(self.blades))
        u = (radius * np.cos(angle) - self.mean) / self.radial_scale
        v = radius * np.sin(angle) / self.tangential_scale
        scale = self.blades * 2 * np.pi * self.radial_scale * self.tangential_scale
        return np.logaddexp.reduce(-0.5 * (u**2 + v**2), axis=1) - np.log(scale)


class _Spirals(Toy):
    """Two interleaved Archimedean spirals, evenly filled except at the hub, with Gaussian noise.

    `t = 3 pi sqrt(U)` and `x = +-(t/3) (-cos t, sin t)`; a point's density is an integral over `t`.
    """

    scale = 0.1
    turns = 1.5

    def __init__(self):
        super().__init__("spirals", 2, _ENTROPY["spirals"])
        self._last = 2 * np.pi * self.turns
        # Panels of about equal length along the curve.
        t, weights = quadrature.panels(self._last * np.sqrt(np.linspace(0, 1, 29)), order=32)
        arm = self._arm(t)
        self._nodes = np.concatenate([arm, -arm])
        self._weights = np.tile(weights * t / self._last**2, 2)

    @staticmethod
    def _arm(t):
        return t[:, np.newaxis] / 3 * np.stack([-np.cos(t), np.sin(t)], axis=1)

    def _sample(self, n, rng):
        sign = 2 * rng.integers(2, size=(n, 1)) - 1
        arm = self._arm(self._last * np.sqrt(rng.random(n)))
        return sign * arm + self.scale * rng.standard_normal((n, 2))

    def _log_prob(self, x):
        return quadrature.log_curve(x, self._nodes, self._weights, self.scale)


class _Mixture1D(Toy):
    """Three Gaussians of different weight and width on the line."""

    weights = np.array([0.3, 0.5, 0.2])
    means = np.array([-2.0, 0.4, 2.4])
    scales = np.array([0.4, 0.6, 0.25])

    def __init__(self):
        super().__init__("mixture_1d", 1, _ENTROPY["mixture_1d"])

    def _sample(self, n, rng):
        part = rng.choice(3, size=n, p=self.weights)
        return (self.means[part] + self.scales[part] * rng.standard_normal(n))[:, np.newaxis]

    def _log_prob(self, x):
        log_weight = np.log(self.weights / (self.scales * np.sqrt(2 * np.pi)))
        return np.logaddexp.reduce(log_weight - 0.5 * ((x - self.means) / self.scales) ** 2, axis=1)


# Differential entropies in nats, by quadrature on a fine grid (the tests compute them again).
_ENTROPY = {
    "two_moons": 2.393879196,
    "face": 2.361303975,
    "eight_gaussians": 2.508338457,
    "rings": 2.910340461,
    "pinwheel": 1.856461934,
    "spirals": 2.540617894,
    "mixture_1d": 1.602820631,
}


def _two_moons() -> Toy:
    return _Arcs(
        "two_moons",
        _ENTROPY["two_moons"],
        [
            _Arc(0.5, 0.2, (-1.0, -0.5), 2.0, 0.0, 180.0),
            _Arc(0.5, 0.2, (1.0, 0.5), 2.0, 180.0, 360.0),
        ],
    )


def _face() -> Toy:
    outline = _Arc(0.5, 0.1, radius=3.0)
    eyes = [_Arc(0.1, 0.25, (side, 1.0)) for side in (-1.1, 1.1)]
    smile = _Arc(0.3, 0.1, radius=1.7, start=205.0, stop=335.0)
    return _Arcs("face", _ENTROPY["face"], [outline, *eyes, smile])


def _eight_gaussians() -> Toy:
    angles = np.pi / 4 * np.arange(8)
    centres = [(2.8 * np.cos(angle), 2.8 * np.sin(angle)) for angle in angles]
    return _Arcs(
        "eight_gaussians", _ENTROPY["eight_gaussians"], [_Arc(1 / 8, 0.3, c) for c in centres]
    )


def _rings() -> Toy:
    radii = (0.8, 1.6, 2.4, 3.2)
    return _Arcs("rings", _ENTROPY["rings"], [_Arc(0.25, 0.1, radius=r) for r in radii])


_TOYS = {
    "two_moons": _two_moons,
    "face": _face,
    "eight_gaussians": _eight_gaussians,
    "checkerboard": _Checkerboard,
    "rings": _rings,
    "pinwheel": _Pinwheel,
    "spirals": _Spirals,
    "mixture_1d": _Mixture1D,
}


def names() -> list[str]:
    """Names of the toy densities."""
    return list(_TOYS)


def get(name: str) -> Toy:
    """The toy density of that name.

    Raises:
      ValueError: if there is none.
    """
    if name not in _TOYS:
        raise ValueError(f"name: expected one of {', '.join(_TOYS)}, got {name!r}")
    return _TOYS[name]()

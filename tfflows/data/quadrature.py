"""Exact log-densities of Gaussian noise spread along plane curves, by Gauss-Legendre quadrature."""

from __future__ import annotations

import numpy as np

_CHUNK = 8192  # rows at a time: keeps the working set in cache
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)
_NODES, _WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2  # on [0, 1]
_NEGLIGIBLE = 40.0  # exp(-40) = 4e-18 of the peak is left out


def by_chunks(log_prob, x: np.ndarray) -> np.ndarray:
    """Applies `log_prob` to `x` `[n, d]` a few thousand rows at a time and joins the results."""
    if len(x) <= _CHUNK:
        return log_prob(x)
    return np.concatenate([log_prob(x[i : i + _CHUNK]) for i in range(0, len(x), _CHUNK)])


def log_gaussian(x: np.ndarray, centre, scale: float) -> np.ndarray:
    """Log-density `[n]`, in nats, of a round Gaussian at points `x` `[n, d]`."""
    square = np.sum((x - np.asarray(centre)) ** 2, axis=1)
    return -0.5 * square / scale**2 - x.shape[1] * np.log(scale * np.sqrt(2 * np.pi))


def log_arc(
    x: np.ndarray, centre, radius: float, start: float, stop: float, scale: float
) -> np.ndarray:
    """Log-density of a point drawn uniformly on an arc of a circle, plus round Gaussian noise.

    With `(rho, phi)` the polar coordinates of `x` about the centre and `k = rho radius / scale^2`,

        p(x) = exp(-(rho - radius)^2 / 2 scale^2) / (2 pi scale^2)
               * int_start^stop exp(-k (1 - cos(t - phi))) dt / (stop - start).

    The integrand falls steadily from `t = phi` to `t = phi + pi`, so the arc is cut at those angles
    and each piece is integrated from its high end down to where nothing is left. The relative error
    is about 1e-12 at any distance from the arc.

    Args:
      x: points, float64 `[n, 2]`.
      centre: centre of the circle, two numbers.
      radius: radius of the circle; 0 makes the arc a point.
      start: first angle of the arc, in radians.
      stop: last angle, more than `start` by 2 pi at most.
      scale: standard deviation of the noise.

    Returns:
      float64 `[n]`, in nats.
    """
    if radius == 0:
        return log_gaussian(x, centre, scale)

    offset = x - np.asarray(centre)
    rho = np.hypot(offset[:, 0], offset[:, 1])
    k = rho * radius / scale**2
    first = start - np.arctan2(offset[:, 1], offset[:, 0])
    first -= 2 * np.pi * np.round((first + (stop - start) / 2) / (2 * np.pi))
    last = first + (stop - start)

    log_integral = np.full(len(x), -np.inf)
    for half_turn in (-2, -1, 0, 1):
        low = np.maximum(first, half_turn * np.pi)
        high = np.minimum(last, (half_turn + 1) * np.pi)
        rows = np.flatnonzero(high > low)
        # Angles as distances from the peak, 0 to pi.
        low, high = low[rows], high[rows]
        if half_turn % 2:
            low, high = (half_turn + 1) * np.pi - high, (half_turn + 1) * np.pi - low
        else:
            low, high = low - half_turn * np.pi, high - half_turn * np.pi
        log_piece = _log_piece(k[rows], np.maximum(low, 0.0), np.minimum(high, np.pi))
        log_integral[rows] = np.logaddexp(log_integral[rows], log_piece)

    log_radial = -0.5 * ((rho - radius) / scale) ** 2 - np.log(2 * np.pi * scale**2)
    return log_radial + log_integral - np.log(stop - start)


def _log_piece(k: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """`log int_low^high exp(-k (1 - cos s)) ds` for `0 <= low < high <= pi`, each `[n]`."""
    tiny = np.finfo(np.float64).tiny
    floor = np.cos(low) - np.minimum(_NEGLIGIBLE / np.maximum(k, 1.0), 2.0)
    end = np.arccos(np.clip(floor, -1.0, 1.0))
    width = np.maximum(np.minimum(high, end) - low, tiny)
    step = width[:, np.newaxis] * _NODES
    fall = 2 * k[:, np.newaxis] * np.sin(low[:, np.newaxis] + step / 2) * np.sin(step / 2)
    return np.log(width * (np.exp(-fall) @ _WEIGHTS)) - 2 * k * np.sin(low / 2) ** 2


def log_curve(x: np.ndarray, nodes: np.ndarray, weights: np.ndarray, scale: float) -> np.ndarray:
    """Log-density of Gaussian noise about a curve, given by the nodes of a quadrature rule.

    Args:
      x: points, float64 `[n, 2]`.
      nodes: points of the curve, `[k, 2]`.
      weights: quadrature weight of each node times the density of its parameter, `[k]`.
      scale: standard deviation of the noise.

    Returns:
      float64 `[n]`, in nats, as exact as the rule is for the curve: the nodes must be closer
      together than about `scale / 2`, and the panels must have a high order.
    """
    # -|x - c|^2 / 2s^2 without the part that does not depend on the node.
    bias = np.log(weights) - 0.5 * np.sum(nodes**2, axis=1) / scale**2
    logits = (x / scale**2) @ nodes.T + bias
    peak = np.max(logits, axis=1)
    np.exp(np.subtract(logits, peak[:, np.newaxis], out=logits), out=logits)
    log_sum = peak + np.log(np.sum(logits, axis=1))
    return log_sum - 0.5 * np.sum(x**2, axis=1) / scale**2 - np.log(2 * np.pi * scale**2)


def panels(edges: np.ndarray, order: int) -> tuple[np.ndarray, np.ndarray]:
    """Composite Gauss-Legendre rule: nodes and weights, each `[(len(edges) - 1) * order]`."""
    nodes, weights = np.polynomial.legendre.leggauss(order)
    half = np.diff(edges)[:, np.newaxis] / 2
    middle = (edges[:-1] + edges[1:])[:, np.newaxis] / 2
    return (middle + half * nodes).ravel(), (half * weights).ravel()

"""Pictures of densities, flows and training runs, written as PNG files.

A flow here is anything with the methods of `tfflows.models.Flow` that the picture needs. If it
needs only `log_prob` and `sample`, a toy density of `tfflows.data.toy` will do. No window is opened
and matplotlib's global state is not touched. A file is either complete or absent.
"""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import hsv_to_rgb
from matplotlib.figure import Figure

_DENSITY_MAP = "magma"
_DATA_COLOUR = "#b8c4d6"
_MODEL_COLOUR = "#c2410c"
_LINE_COLOURS = ("#1d4ed8", "#c2410c", "#15803d", "#7e22ce", "#0f766e", "#b45309")
_SPARSE = {"marker": "o", "markersize": 3, "linewidth": 1.8, "zorder": 3}
_DENSE = {"linewidth": 0.9, "alpha": 0.8}
_BATCH = 8192
_SHOWN = 4000

DPI = 120  # of every picture

Bounds = tuple[Sequence[float], Sequence[float]]
LogProb = Callable[[np.ndarray], np.ndarray]


def density_1d(
    flow_or_log_prob_fn,
    samples: np.ndarray,
    path: str | os.PathLike,
    bounds: Bounds | None = None,
    title: str = "density",
) -> str:
    """Draws a 1-D density over a histogram of samples.

    Args:
      flow_or_log_prob_fn: a flow, or a function from `[n, 1]` to log-densities `[n]` in nats.
      samples: `[n]` or `[n, 1]`.
      path: the PNG file.
      bounds: `(low, high)`, a number or `[1]` each; by default those of the samples.
      title: heading of the picture.

    Returns:
      The path.

    Raises:
      ValueError: if the samples have another shape.
    """
    samples = np.asarray(samples)
    if samples.size == 0 or samples.size != len(samples):
        raise ValueError(f"samples: expected shape [n] or [n, 1], got {list(samples.shape)}")
    samples = samples.reshape(-1, 1)
    low, high = (float(edge[0]) for edge in _bounds(bounds, samples))
    x = np.linspace(low, high, 1000).astype(_dtype(flow_or_log_prob_fn))
    density = np.exp(_log_prob(flow_or_log_prob_fn, x[:, np.newaxis]))

    figure, (axes,) = _figure(1, width=6.4, height=4.0)
    counts, edges = np.histogram(samples, bins=80, range=(low, high))
    # Normalise by all samples, even those outside the picture, to match the density's scale.
    height = counts / (len(samples) * np.diff(edges))
    axes.stairs(height, edges, fill=True, color=_DATA_COLOUR, label="histogram")
    axes.plot(x, density, color=_MODEL_COLOUR, linewidth=2, label="density")
    axes.set(title=title, xlabel="x", ylabel="density", xlim=(low, high))
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    _lighten(axes)
    return save(figure, path)


def density_2d(
    flow_or_log_prob_fn,
    path: str | os.PathLike,
    bounds: Bounds = ((-4.0, -4.0), (4.0, 4.0)),
    title: str = "density",
    resolution: int = 200,
) -> str:
    """Draws a heat map of a 2-D density.

    Args:
      flow_or_log_prob_fn: a flow, or a function from `[n, 2]` to log-densities `[n]` in nats.
      path: the PNG file.
      bounds: `(low, high)`, `[2]` each.
      title: heading of the picture.
      resolution: cells along each axis.

    Returns:
      The path.
    """
    figure, (axes,) = _figure(1, width=5.4, height=4.6)
    image = _heat_map(axes, flow_or_log_prob_fn, _bounds(bounds), resolution)
    axes.set_title(title)
    figure.colorbar(image, ax=axes, label="density", fraction=0.046, pad=0.04)
    return save(figure, path)


def latent_grid(
    flow,
    path: str | os.PathLike,
    latent_bounds: tuple[float, float] = (-3.0, 3.0),
    lines: int = 25,
    title: str = "latent grid through the flow",
) -> str:
    """Draws a regular grid in the latent plane beside its image under `flow.decode`.

    Args:
      flow: a flow over events of shape [2].
      path: the PNG file.
      latent_bounds: first and last grid line; for a uniform base, say, (0.001, 0.999).
      lines: lines in each direction.
      title: heading of the right-hand panel.

    Returns:
      The path.
    """
    where = np.linspace(*latent_bounds, lines)
    along = np.linspace(*latent_bounds, 2000)
    fixed, running = np.meshgrid(where, along, indexing="ij")
    latents = np.stack(
        [np.stack([fixed, running], axis=-1), np.stack([running, fixed], axis=-1)]
    ).astype(np.float32)
    images = _map(flow.decode, latents.reshape(-1, 2)).reshape(latents.shape)

    figure, panels = _figure(2, width=9.6, height=4.8)
    for axes, curves in zip(panels, (latents, images), strict=True):
        for group, colours in zip(curves, ("viridis", "plasma"), strict=True):
            collection = LineCollection(list(group), cmap=colours, linewidth=0.8)
            collection.set_array(where)
            axes.add_collection(collection)
        _square(axes, *_square_bounds(curves.reshape(-1, 2)))
    panels[0].set(title="latent grid", xlabel="$z_1$", ylabel="$z_2$")
    panels[1].set(title=title, xlabel="$x_1$", ylabel="$x_2$")
    return save(figure, path)


def training_curve(
    metrics: Sequence[Mapping[str, float]] | str | os.PathLike,
    path: str | os.PathLike,
    title: str = "training",
) -> str:
    """Draws every loss of a run against the step.

    Args:
      metrics: records, or the path of a `metrics.jsonl` with one record a line. A record has `step`
        and numbers. Numbers whose name contains `loss` are drawn, or all numbers if there are none
        such. A record may lack some of them. An incomplete last line is skipped.
      path: the PNG file.
      title: heading of the picture.

    Returns:
      The path.

    Raises:
      ValueError: if there is nothing to draw, or a line of the file is not JSON.
    """
    curves = _curves(metrics)
    figure, (axes,) = _figure(1, width=6.4, height=4.0)
    shown = []
    for i, (name, (steps, values)) in enumerate(sorted(curves.items())):
        sparse = len(steps) < 40
        colour = _LINE_COLOURS[i % len(_LINE_COLOURS)]
        axes.plot(steps, values, color=colour, label=name, **(_SPARSE if sparse else _DENSE))
        # The first tenth of a run would otherwise set the scale of the rest.
        shown.append(values[len(values) // 10 :])
    shown = np.concatenate(shown)
    low, high = np.min(shown), np.max(shown)
    margin = 0.06 * (high - low) or 0.5
    axes.set(title=title, xlabel="step", ylabel="loss (nats)", ylim=(low - margin, high + margin))
    if all("loss" not in name for name in curves):
        axes.set_ylabel("")
    axes.legend(frameon=False)
    _lighten(axes)
    return save(figure, path)


def overview_2d(
    flow,
    data: np.ndarray,
    path: str | os.PathLike,
    bounds: Bounds | None = None,
    title: str | None = None,
    seed: int = 0,
    data_title: str = "data",
) -> str:
    """Draws data, samples, density and latents of a 2-D flow side by side.

    A data point and its latent have the same colour, set by the angle of the latent. A density
    without latents (one that has no `encode`) gets only the first three panels.

    Args:
      flow: a flow over events of shape [2].
      data: rows `[n, 2]`; the first few thousand are shown.
      path: the PNG file.
      bounds: `(low, high)` of data, samples and density, `[2]` each; by default those of the data.
      title: heading of the picture.
      seed: key of the samples.
      data_title: heading of the first panel.

    Returns:
      The path.

    Raises:
      ValueError: if the data have another shape.
    """
    data = np.asarray(data, _dtype(flow))[:_SHOWN]
    if data.ndim != 2 or data.shape[1] != 2 or not len(data):
        raise ValueError(f"data: expected shape [n, 2], got {list(data.shape)}")
    bounds = _bounds(bounds, data)
    samples = np.asarray(flow.sample(len(data), seed=seed))
    latents = _map(flow.encode, data) if hasattr(flow, "encode") else None
    colours = _DATA_COLOUR if latents is None else _colours(latents)

    count = 3 if latents is None else 4
    figure, panels = _figure(count, width=3.8 * count, height=4.2)
    _scatter(panels[0], data, bounds, colours)
    _scatter(panels[1], samples, bounds, _MODEL_COLOUR)
    _heat_map(panels[2], flow, bounds, 200)
    for axes, name in zip(panels, (data_title, "samples", "density"), strict=False):
        axes.set_title(name)
    if latents is not None:
        _scatter(panels[3], latents, _square_bounds(latents), colours)
        panels[3].set(title="latents", xlabel="$z_1$", ylabel="$z_2$")
    if title:
        figure.suptitle(title)
    return save(figure, path)


def _colours(latents: np.ndarray) -> np.ndarray:
    """A colour for each latent, from its angle about the centre of all latents."""
    centre = np.median(latents, axis=0)
    angle = np.arctan2(*(latents - centre).T[::-1])
    hue = np.nan_to_num(angle / (2 * np.pi)) % 1.0
    return hsv_to_rgb(np.stack([hue, np.full_like(hue, 0.8), np.full_like(hue, 0.8)], axis=1))


def _curves(metrics) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Steps and finite values of each number to draw."""
    records = _read_metrics(metrics) if isinstance(metrics, str | os.PathLike) else metrics
    points: dict[str, list[tuple[float, float]]] = {}
    for record in records:
        for name, value in record.items():
            number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
            if number and name != "step" and "step" in record and np.isfinite(value):
                points.setdefault(name, []).append((record["step"], value))
    losses = {name: values for name, values in points.items() if "loss" in name}
    curves = losses or points
    if not curves:
        raise ValueError("metrics: expected records with a step and a number, got none")
    return {name: tuple(np.array(values, float).T) for name, values in curves.items()}


def _read_metrics(path) -> list[dict]:
    lines = pathlib.Path(path).read_text().splitlines()
    records = []
    for i, line in enumerate(lines):
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError:
            if i < len(lines) - 1:  # the file of a run in progress may end mid-line
                raise ValueError(f"metrics: expected JSON in line {i + 1} of {path}") from None
    return records


def _log_prob(flow_or_log_prob_fn, x: np.ndarray) -> np.ndarray:
    return _map(getattr(flow_or_log_prob_fn, "log_prob", flow_or_log_prob_fn), x)


def _map(function: LogProb, x: np.ndarray) -> np.ndarray:
    """Applies a function of rows to batches of equal size, so that it is traced once."""
    if len(x) <= _BATCH:
        return np.asarray(function(x))
    padded = np.concatenate([x, x[: -len(x) % _BATCH]])
    parts = [np.asarray(function(part)) for part in np.split(padded, len(padded) // _BATCH)]
    return np.concatenate(parts)[: len(x)]


def _bounds(bounds: Bounds | None, x: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Bounds as two vectors; if not given, they enclose `x` with a margin."""
    if bounds is not None:
        return np.atleast_1d(bounds[0]), np.atleast_1d(bounds[1])
    x = x[np.isfinite(x).all(axis=1)]
    low, high = np.min(x, axis=0), np.max(x, axis=0)
    margin = np.maximum(0.05 * (high - low), 1e-3)
    return low - margin, high + margin


def _square_bounds(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Square bounds that enclose `x`."""
    low, high = _bounds(None, x)
    middle, half = (low + high) / 2, np.max(high - low) / 2
    return middle - half, middle + half


def _figure(panels: int, width: float, height: float) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, list(figure.subplots(1, panels, squeeze=False)[0])


def _square(axes: Axes, low: np.ndarray, high: np.ndarray) -> None:
    axes.set(aspect="equal", xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    axes.set(xlabel="$x_1$", ylabel="$x_2$")
    axes.set_axisbelow(True)


def _lighten(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    axes.set_axisbelow(True)


def _dtype(flow_or_log_prob_fn):
    """The dtype of a model's rows: float64 if float32 cannot hold them."""
    dtype = getattr(flow_or_log_prob_fn, "event_dtype", None)
    return np.float64 if dtype is not None and dtype.name == "float64" else np.float32


def _scatter(axes: Axes, x: np.ndarray, bounds, colours) -> None:
    axes.scatter(x[:, 0], x[:, 1], s=4, alpha=0.7, linewidths=0, c=colours)
    _square(axes, *bounds)


def _heat_map(axes: Axes, flow_or_log_prob_fn, bounds, resolution: int):
    low, high = bounds
    # Centres of cells.
    ticks = (np.arange(resolution) + 0.5) / resolution
    x1, x2 = (low[i] + (high[i] - low[i]) * ticks for i in range(2))
    grid = np.stack(np.meshgrid(x1, x2), axis=-1).reshape(-1, 2)
    grid = grid.astype(_dtype(flow_or_log_prob_fn))
    density = np.exp(_log_prob(flow_or_log_prob_fn, grid)).reshape(resolution, resolution)
    image = axes.imshow(
        density,
        origin="lower",
        extent=(low[0], high[0], low[1], high[1]),
        cmap=_DENSITY_MAP,
        vmin=0,
        interpolation="bilinear",
    )
    _square(axes, low, high)
    return image


def save(figure: Figure, path: str | os.PathLike) -> str:
    """Writes a figure as a PNG, atomically, and returns the path."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        figure.savefig(
            temporary, format="png", dpi=DPI, bbox_inches="tight", metadata={"Software": None}
        )
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return str(path)

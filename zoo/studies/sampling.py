"""Nine ways to sample Neal's funnel, with and without a flow: `python -m zoo.studies.sampling`.

A flow is fitted to the funnel's unnormalised density by reverse KL, without draws from the funnel.
It then helps importance sampling, Metropolis-Hastings, Langevin and Hamiltonian Monte Carlo. Prints
a table, and writes it with a picture to a folder.

The funnel (Neal, Slice Sampling, 2003, https://doi.org/10.1214/aos/1056562461): v ~ N(0, 3^2) and
nine x_i ~ N(0, e^v). Its neck is a thousand times narrower than its mouth, so no step size suits
both. The moments of v are known: E v = 0, E v^2 = 9.

Examples:
  python -m zoo.studies.sampling --output=runs/sampling_study
  python -m zoo.studies.sampling --chains=10 --steps=200 --train_steps=300  # a quick look
"""

from __future__ import annotations

from absl import flags

from zoo import cli

if __name__ == "__main__":  # before TensorFlow is imported, which takes seconds
    flags.DEFINE_string("output", "runs/sampling_study", "Folder for the table and the picture.")
    flags.DEFINE_integer("chains", 100, "Number of chains.")
    flags.DEFINE_integer("steps", 2000, "Steps of each chain, after half as many burn-in steps.")
    flags.DEFINE_integer("train_steps", 3000, "Training steps of the flow.")
    cli.begin("zoo.studies.sampling", __doc__)

import logging
import pathlib
import time

import keras
import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from tfflows import files, models, objectives, sampling
from zoo import outputs

mcmc = tfp.mcmc

DIM, SCALE = 10, 3.0
TRAINING_BATCH = 512


def log_prob(z):
    """Log-density of the funnel without its constant, `[..., 10]` to `[...]`."""
    v, x = z[..., 0], z[..., 1:]
    log_x = -0.5 * tf.reduce_sum(tf.square(x), -1) * tf.exp(-v) - 0.5 * (DIM - 1) * v
    return -0.5 * tf.square(v / SCALE) + log_x


LOG_NORMALIZER = 0.5 * DIM * np.log(2 * np.pi) + np.log(SCALE)


def exact(n: int, seed: int) -> np.ndarray:
    """Draws `[n, 10]` from the funnel itself, for comparison."""
    rng = np.random.default_rng(seed)
    v = SCALE * rng.standard_normal((n, 1))
    x = np.exp(v / 2) * rng.standard_normal((n, DIM - 1))
    return np.concatenate([v, x], axis=1).astype(np.float32)


def moments(z) -> np.ndarray:
    """The values v and v^2 of states `[..., 10]`: `[..., 2]`."""
    v = np.asarray(z, np.float64)[..., 0]
    return np.stack([v, v**2], axis=-1)


TRUE_MOMENTS = np.array([0.0, SCALE**2])


def fit(steps: int) -> tuple[models.IAF, float, float]:
    """A flow fitted by reverse KL, its divergence from the funnel, and the seconds of training."""
    flow = models.IAF(DIM, layers=2, hidden_units=(32, 32))
    schedule = keras.optimizers.schedules.CosineDecay(5e-3, steps)
    optimizer = keras.optimizers.Adam(schedule, global_clipnorm=5.0)
    flow.compile(optimizer, target_log_prob=log_prob, jit_compile=True, steps_per_execution=50)
    numbers = tf.data.Dataset.range(2**40).batch(TRAINING_BATCH, drop_remainder=True)
    began = time.monotonic()
    flow.fit(numbers, steps_per_epoch=steps, verbose=0)
    seconds = time.monotonic() - began
    divergence = objectives.reverse_kl(flow, log_prob, 20_000, seed=1) + LOG_NORMALIZER
    return flow, float(divergence), seconds


def kernels(flow, burn: int) -> dict[str, tfp.mcmc.TransitionKernel]:
    """The chains by name; their step sizes are adapted during burn-in."""

    def adapted(kernel, acceptance):
        return mcmc.DualAveragingStepSizeAdaptation(kernel, int(0.8 * burn), acceptance)

    def hamiltonian(step_size, leaps, acceptance=0.75):
        return adapted(mcmc.HamiltonianMonteCarlo(log_prob, step_size, leaps), acceptance)

    def langevin(step_size):
        # HMC with one leapfrog step is a Langevin step, and TFP can adapt its size.
        return hamiltonian(step_size, 1, acceptance=0.57)

    def walk(target, scale):
        return mcmc.RandomWalkMetropolis(target, mcmc.random_walk_normal_fn(scale))

    def draw_x(z, seed):
        """Draws x from its distribution given v."""
        noise = tf.random.stateless_normal(tf.shape(z[..., 1:]), seed)
        return tf.concat([z[..., :1], tf.exp(z[..., :1] / 2) * noise], axis=-1)

    draw_v = sampling.Block([0], lambda target: walk(target, 1.0))
    return {
        "random walk": walk(log_prob, 0.5),
        "Gibbs": sampling.Gibbs([draw_x, draw_v], log_prob),
        "Langevin (MALA)": langevin(0.1),
        "Hamiltonian (HMC)": hamiltonian(0.1, 10),
        "flow: independence Metropolis": sampling.independence_metropolis(log_prob, flow),
        "flow: Langevin": sampling.precondition(langevin(0.1), flow),
        "flow: Hamiltonian": sampling.precondition(hamiltonian(0.1, 5), flow),
    }


def run(kernel, start: np.ndarray, steps: int, burn: int) -> tuple[np.ndarray, float, float]:
    """States `[steps, chains, 10]` after the burn-in, acceptance, and seconds without compiling."""

    def accepted(_, results):
        while not hasattr(results, "is_accepted"):
            results = results.inner_results
        return tf.reduce_mean(tf.cast(results.is_accepted, tf.float32))

    @tf.function(jit_compile=True, autograph=False)
    def chain(seed):
        return mcmc.sample_chain(
            steps, start, kernel=kernel, num_burnin_steps=burn, trace_fn=accepted, seed=seed
        )

    chain(tf.constant([0, 0]))
    began = time.monotonic()
    states, acceptance = (part.numpy() for part in chain(tf.constant([0, 1])))
    return states, float(acceptance.mean()), time.monotonic() - began


def row_of_chain(name, kernel, start, steps, burn) -> tuple[dict, np.ndarray]:
    """A chain's row of the table, and its states."""
    states, acceptance, seconds = run(kernel, start, steps, burn)
    values = moments(states)
    ess = mcmc.effective_sample_size(
        tf.constant(values), filter_beyond_positive_pairs=True, cross_chain_dims=1
    ).numpy()
    error = np.sqrt(values.var(axis=(0, 1)) / ess)
    return _row(name, acceptance, ess.min(), seconds, values.mean(axis=(0, 1)), error), states


def row_of_importance(name, proposal, n) -> tuple[dict, np.ndarray]:
    """The row of the table for importance sampling, and draws from it."""
    sampling.importance_sampling(proposal, log_prob, n, seed=0)
    began = time.monotonic()
    weighted = sampling.importance_sampling(proposal, log_prob, n, seed=1)
    seconds = time.monotonic() - began
    mean, error = weighted.expectation(moments)
    row = _row(name, None, weighted.effective_sample_size, seconds, mean, error)
    row["log_normalizer"] = weighted.log_normalizer
    row["log_normalizer_error"] = weighted.log_normalizer_error
    return row, weighted.resample(4000, seed=0)


def _row(name, acceptance, ess, seconds, mean, error) -> dict:
    return {
        "method": name,
        "acceptance": acceptance,
        "effective_samples": float(ess),
        "seconds": seconds,
        "mean": mean.tolist(),
        "error": error.tolist(),
        "off": ((mean - TRUE_MOMENTS) / error).tolist(),
    }


def study(chains: int, steps: int, train_steps: int) -> tuple[dict, dict[str, np.ndarray]]:
    """Runs every method.

    Args:
      chains: number of chains, each started at a draw from a standard normal or from the flow.
      steps: steps of a chain, after half as many of burn-in; importance sampling has as many draws
        as all chains together have states.
      train_steps: steps of the flow's training.

    Returns:
      The results in plain values, and draws by the name of the method.
    """
    burn = steps // 2
    flow, divergence, seconds = fit(train_steps)
    gaussian = models.Gaussian(DIM)
    gaussian.estimate(exact(100_000, seed=0))
    rng = np.random.default_rng(0)
    afar = rng.standard_normal((chains, DIM)).astype(np.float32)
    near = flow.sample(chains, seed=2).numpy()
    rows, draws = [], {}

    def add(name, found):
        rows.append(found[0])
        draws[name] = found[1]

    with_chains = kernels(flow, burn)
    for name, kernel in with_chains.items():
        if not name.startswith("flow"):
            add(name, row_of_chain(name, kernel, afar, steps, burn))
    name = "importance, best Gaussian"
    add(name, row_of_importance(name, gaussian, chains * steps))
    name = "flow: importance"
    add(name, row_of_importance(name, flow, chains * steps))
    for name, kernel in with_chains.items():
        if name.startswith("flow"):
            add(name, row_of_chain(name, kernel, near, steps, burn))
    facts = {
        "chains": chains,
        "steps": steps,
        "burn_in": burn,
        "training": {"steps": train_steps, "seconds": seconds, "kl_divergence": divergence},
        "log_normalizer": LOG_NORMALIZER,
        "rows": rows,
    }
    return facts, draws


def table(facts: dict) -> str:
    """The results as a Markdown table."""
    lines = [
        "| method | acceptance | effective samples | per second | E v | E v^2 | off by |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in facts["rows"]:
        acceptance = "" if row["acceptance"] is None else f"{row['acceptance']:.2f}"
        ess = row["effective_samples"]
        first, second = (
            f"{mean:.2f} ± {error:.2f}"
            for mean, error in zip(row["mean"], row["error"], strict=True)
        )
        off = ", ".join(f"{value:.1f}" for value in row["off"])
        lines.append(
            f"| {row['method']} | {acceptance} | {ess:,.0f} | {ess / row['seconds']:,.0f} | "
            f"{first} | {second} | {off} |"
        )
    return "\n".join(lines)


def draw(draws: dict[str, np.ndarray], path: pathlib.Path) -> None:
    """Plots a few thousand states of each method over the funnel, x_1 against v."""
    figure = Figure(figsize=(15, 6.4), layout="constrained")
    FigureCanvasAgg(figure)
    truth = exact(4000, seed=1)
    for axes, (name, states) in zip(figure.subplots(2, 5).flat, _panels(draws, truth), strict=True):
        rows = states.reshape(-1, DIM)
        rows = rows[np.linspace(0, len(rows) - 1, 4000).astype(int)]
        axes.scatter(truth[:, 1], truth[:, 0], s=4, c="#b8c4d6", linewidths=0)
        if states is not truth:
            axes.scatter(rows[:, 1], rows[:, 0], s=3, c="#c2410c", alpha=0.5, linewidths=0)
        axes.set(title=name, xlim=(-20, 20), ylim=(-11, 11), xlabel="$x_1$", ylabel="$v$")
    files.write(path, lambda temporary: figure.savefig(temporary, dpi=100))


def _panels(draws, truth):
    names = list(draws)
    plain = [name for name in names if not name.startswith("flow")]
    return [
        *((name, draws[name]) for name in plain),
        ("the funnel", truth),
        *((name, draws[name]) for name in names if name not in plain),
    ]


def main() -> None:
    """Runs the study as the flags say."""
    values = flags.FLAGS
    folder = pathlib.Path(values.output)
    outputs.check_folder("output", folder)
    for name in ("chains", "steps", "train_steps"):
        if values[name].value < 2:
            raise ValueError(f"{name}: expected at least 2, got {values[name].value}")
    # TensorFlow warns that each kernel has its own function, and warns again inside TFP's estimate
    # of the effective sample size.
    tf.get_logger().setLevel(logging.ERROR)
    began = time.monotonic()
    facts, draws = study(values.chains, values.steps, values.train_steps)
    folder.mkdir(parents=True, exist_ok=True)
    files.write_json(folder / "sampling_study.json", facts)
    draw(draws, folder / "sampling_study.png")
    trained = facts["training"]
    print(
        f"Neal's funnel, {DIM} dimensions: {values.chains} chains of {values.steps} steps after "
        f"{facts['burn_in']} burn-in steps\nflow: {trained['steps']} steps of reverse KL in "
        f"{trained['seconds']:.0f} s, KL(q, p) {trained['kl_divergence']:.3f} "
        f"nats\n\n{table(facts)}\n\n{folder}: sampling_study.json, sampling_study.png "
        f"({time.monotonic() - began:.0f} s in all)"
    )


if __name__ == "__main__":
    cli.run(main)

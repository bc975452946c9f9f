"""The table and pictures of the pretrained models: `python -m zoo.gallery --output=docs`."""

from __future__ import annotations

import pathlib
import shutil
import tempfile

from absl import flags
from ml_collections import ConfigDict

from tfflows import training
from zoo import command, datasets, figures, registry


def table() -> str:
    """The pretrained models as a Markdown table, from their cards."""
    lines = [
        "| name | model | parameters | test, nats | trained in |",
        "|---|---|---|---|---|",
    ]
    for name in registry.names():
        if not (registry.PRETRAINED / name / registry.CARD).is_file():
            continue
        card = registry.card(name)
        paper = card["paper"]
        title = card["summary"].rstrip(".")
        model = f"[{title}]({paper['url']})" if paper["url"] else title
        lines.append(
            f"| `{name}` | {model} | {card['parameters']:,} | {result(card)} | "
            f"{card['training']['seconds']:.0f} s |"
        )
    return "\n".join(lines)


def result(card: dict) -> str:
    """A card's test figure in a few words, with two standard errors."""

    def figure(name, digits):
        value, error = card["test"][name], card["test"][f"{name}_two_standard_errors"]
        if 0 <= value < 10**-digits:
            return f"below {10**-digits:.{digits}f}"
        return f"{value:.{digits}f} ± {error:.{digits}f}"

    if "kl_divergence" in card["test"]:
        which = "KL(q, p)" if "log_normalizer_nats" in card["data"] else "KL(p, q)"
        return f"{which} {figure('kl_divergence', 4)}"
    table = pathlib.Path(card["data"]["name"]).stem
    return f"log-likelihood {figure('log_likelihood_standardized', 2)} ({table}, standardised)"


def write(output: pathlib.Path) -> pathlib.Path:
    """Writes `zoo.md`, and to `images/` a picture of every 1-D and 2-D model.

    Args:
      output: folder of the documents.

    Returns:
      The path of `zoo.md`.
    """
    images = output / "images"
    images.mkdir(parents=True, exist_ok=True)
    sections = [
        "# The zoo\n",
        "Pretrained models: `zoo.load(NAME)`. Each is made again from its config by\n"
        "`python -m zoo.pretrain NAME`. KL(p, q) is the mean of log p - log q over fresh data of\n"
        "the known density p, KL(q, p) that of log q - log p over the model's draws; ± is two\n"
        "standard errors over the test rows; times are of 2 CPU cores.\n",
        table() + "\n",
        "In the pictures below a point has the colour of its latent's angle, so that a colour can\n"
        "be followed from the latents to the data. A latent grid is a regular grid of latents and\n"
        "what the flow makes of it.\n",
    ]
    for name in registry.names():
        config = ConfigDict(registry.config(name))
        if config.data.source not in ("toy", "target"):
            continue
        flow, data = registry.load(name), datasets.load(config)
        sections.append(f"## {name}\n\n{config.summary}\n")
        with tempfile.TemporaryDirectory() as folder:
            for path in figures.of_density(flow, data, pathlib.Path(folder)):
                kind = pathlib.Path(path).stem
                image = f"{name}.png" if kind in ("overview", "density") else f"{name}_{kind}.png"
                training.write_file(images / image, lambda to, path=path: shutil.copy(path, to))
                sections.append(f"![{name}: {kind.replace('_', ' ')}](images/{image})\n")
    text = "\n".join(sections)
    training.write_file(output / "zoo.md", lambda path: path.write_text(text))
    return output / "zoo.md"


def main() -> None:
    """Writes what the flag says, and prints the table."""
    print(write(pathlib.Path(flags.FLAGS.output)))
    print(table())


if __name__ == "__main__":
    flags.DEFINE_string("output", "docs", "Folder of the documents.")
    command.run(main)

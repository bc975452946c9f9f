"""Makes the tables and pictures of the pretrained models: `python -m tools.gallery --output=docs`.

Examples:
  python -m tools.gallery --output=docs
"""

from __future__ import annotations

from absl import flags

from zoo import cli

if __name__ == "__main__":  # before TensorFlow is imported, which takes seconds
    flags.DEFINE_string("output", "docs", "Folder of the documents.")
    cli.begin("tools.gallery", __doc__)

import math
import pathlib
import shutil
import tempfile

from ml_collections import ConfigDict

from tfflows import files
from zoo import modalities, registry


def toys() -> str:
    """The models of toys and targets as a Markdown table, from their cards."""
    lines = ["| name | model | parameters | test, nats | trained in |", "|---|---|---|---|---|"]
    for name in registry.pretrained():
        card = registry.card(name)
        if "kl_divergence" in card["test"]:
            which = "KL(q, p)" if "log_normalizer_nats" in card["data"] else "KL(p, q)"
            lines.append(
                f"| `{name}` | {_title(card)} | {card['parameters']:,} | "
                f"{which} {_figure(card['test'], 'kl_divergence', 4)} | {_seconds(card)} |"
            )
    return "\n".join(lines)


def tables() -> str:
    """The models of tables in Markdown: a row for each model, a group of columns for each table.

    Figures are mean log-likelihoods of standardised rows. For each table, the model with the
    highest figure on the validation rows is in bold.
    """
    found = {}  # model to table to card
    for name in registry.pretrained():
        card = registry.card(name)
        if card["data"]["source"] == "table":
            data = pathlib.Path(card["data"]["name"]).stem
            found.setdefault(name.removesuffix(f"_{data}"), {})[data] = card
    data = sorted({name for cards in found.values() for name in cards})
    best = {d: max((c[d] for c in found.values() if d in c), key=_validation) for d in data}
    columns = [f"{d}, validation | {d}, test | parameters | trained in" for d in data]
    lines = [
        f"| name | model | {' | '.join(columns)} |",
        "|---|---|" + "---|---|---|---|" * len(data),
    ]
    for name, cards in sorted(found.items(), key=lambda item: -_validation(_first(item[1]))):
        names = ", ".join(f"`{name}_{d}`" for d in cards)
        row = f"| {names} | {_title(_first(cards))} |"
        for d in data:
            if d not in cards:
                row += " | | | |"
                continue
            card = cards[d]
            test = _figure(card["test"], "log_likelihood_standardized", 2)
            test = f"**{test}**" if card is best[d] else test
            validation = f"{_validation(card):.2f}"
            row += f" {validation} | {test} | {card['parameters']:,} | {_seconds(card)} |"
        lines.append(row)
    return "\n".join(lines)


def images() -> str:
    """The models of images as a Markdown table, from their cards."""
    lines = [
        "| name | model | parameters | bits/dim | of more draws | paper | trained in |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in registry.pretrained():
        card = registry.card(name)
        if "bits_per_dim" not in card["test"]:
            continue
        more = card["test"].get("bits_per_dim_of_more_draws", {})
        known = more.get("bits_per_dim") is not None
        bound = f"{more['bits_per_dim']:.3f} (K={more['samples']})" if known else ""
        paper = card["paper"]["result"].removesuffix(" bits/dim")
        lines.append(
            f"| `{name}` | {_title(card)} | {card['parameters']:,} | "
            f"{_figure(card['test'], 'bits_per_dim', 3)} | {bound} | {paper} | "
            f"{card['training']['seconds'] / 60:.0f} min |"
        )
    return "\n".join(lines)


def _first(cards: dict) -> dict:
    return next(iter(cards.values()))


def _title(card: dict) -> str:
    title, url = card["summary"].rstrip("."), card["paper"]["url"]
    return f"[{title}]({url})" if url else title


def _seconds(card: dict) -> str:
    seconds = card["training"]["seconds"]
    return f"{seconds:.0f} s" if seconds >= 1 else "below 1 s"


def _validation(card: dict) -> float:
    """Mean log-likelihood of the standardised validation rows."""
    test, loss = card["test"], card["training"]["validation_loss_nats"]
    shift = test["log_likelihood_standardized"] - test["log_likelihood"]
    return -math.inf if loss is None else shift - loss


def _figure(test: dict, name: str, digits: int) -> str:
    """A test figure with two standard errors."""
    value, error = test[name], test[f"{name}_two_standard_errors"]
    if value is None:
        return "not finite"
    if 0 <= value < 10**-digits:
        return f"below {10**-digits:.{digits}f}"
    return f"{value:.{digits}f} ± {error:.{digits}f}"


def write(output: pathlib.Path) -> pathlib.Path:
    """Writes `zoo.md` and, in `images/`, pictures of every model but those of tables.

    Args:
      output: folder of the documents.

    Returns:
      The path of `zoo.md`.
    """
    folder = output / "images"
    folder.mkdir(parents=True, exist_ok=True)
    sections = [
        "# The zoo\n",
        "Pretrained models: `zoo.load(NAME)`. Each is made again from its config by\n"
        "`python -m zoo.pretrain NAME --output=DIR`. KL(p, q) is the mean of log p - log q over\n"
        "fresh data of the known density p, KL(q, p) that of log q - log p over the draws of the\n"
        "model; ± is two standard errors over the test rows; times are of one CPU core.\n",
        toys() + "\n",
        "Models of two tables of the UCI repository:\n"
        "[HTRU2](https://archive.ics.uci.edu/dataset/372/htru2) (8 columns, without the class;\n"
        "14,499 training rows) and [protein](https://archive.ics.uci.edu/dataset/265/"
        "physicochemical+properties+of+protein+tertiary+structure)\n"
        "(9 columns; 37,042 training rows). Figures are the mean log-likelihood of standardised\n"
        "rows, in nats. Columns whose values repeat (one of HTRU2, two of protein) have noise of\n"
        "one step, so the figures are bounds of one draw. `maf_htru2` and `maf_protein` are made\n"
        "by `python -m zoo.pretrain maf_table --table=FILE --output=DIR`, and so on. The model of\n"
        "each table that validation chooses is in bold.\n",
        tables() + "\n",
        "Models of images: bits per dimension of the test set, a bound of one draw of the\n"
        "dequantization noise; of more draws, that of K draws over its first 2,000 images; the\n"
        "paper's figure where it has one.\n",
        images() + "\n",
        "In the pictures below a point has the colour of its latent's angle, so that a colour can\n"
        "be followed from the latents to the data. A latent grid is a regular grid of latents and\n"
        "what the flow makes of it.\n",
    ]
    for name in registry.pretrained():
        config = ConfigDict(registry.trained_config(name))
        if config.data.source == "table":
            continue
        flow = registry.load(name)
        sections.append(f"## {name}\n\n{config.summary}\n")
        with tempfile.TemporaryDirectory() as temporary:
            paths = modalities.of(flow).gallery(flow, config, pathlib.Path(temporary))
            for number, path in enumerate(paths):
                kind = pathlib.Path(path).stem
                image = f"{name}_{kind}.png" if number else f"{name}.png"
                files.write(folder / image, lambda to, path=path: shutil.copy(path, to))
                sections.append(f"![{name}: {kind.replace('_', ' ')}](images/{image})\n")
    text = "\n".join(sections)
    files.write(output / "zoo.md", lambda path: path.write_text(text))
    return output / "zoo.md"


def main() -> None:
    """Writes the documents to the folder given by the flag, and prints the tables."""
    print(write(pathlib.Path(flags.FLAGS.output)))
    print(toys(), tables(), images(), sep="\n\n")


if __name__ == "__main__":
    cli.run(main)

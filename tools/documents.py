"""Writes the generated parts of the documents: `python -m tools.documents`.

These are README's table of families, the tables and pictures of docs/zoo.md, and the comparison in
docs/tables.md. Each lies between two comments, `<!-- generated: NAME -->` and `<!-- end -->`; the
text around them is written by hand. The pictures of the models that are named are drawn anew.

Examples:
  python -m tools.documents
  python -m tools.documents nsf_moons glow_mnist
"""

from __future__ import annotations

from absl import flags

from zoo import cli

if __name__ == "__main__":  # before TensorFlow is imported, which takes seconds
    flags.DEFINE_bool("all", False, "Draw the pictures of all models.")
    flags.DEFINE_string("root", ".", "Folder of the repository.")
    cli.begin("tools.documents", __doc__, arguments="[NAME ...]")

import json
import math
import pathlib
import re
import shutil
import tempfile

from ml_collections import ConfigDict

from benchmarks import tables as comparison
from tfflows import files
from zoo import families as families_of_models
from zoo import modalities, registry

_PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.S)
_REMARK = re.compile(r" \(.*\)$")  # what of a paper a config takes


def families() -> str:
    """The families of models and their papers as a Markdown table, from the configs."""
    papers = {}  # address of the paper to its title and families
    for name in registry.names():
        config = registry.config(name)
        title, models = papers.setdefault(config.paper.url, (config.paper.title, set()))
        models.add(config.model.family)
    rows = {}  # families to links
    for url, (title, models) in sorted(papers.items(), key=lambda item: item[1][0]):
        rows.setdefault(tuple(sorted(models)), []).append(f"[{_REMARK.sub('', title)}]({url})")
    lines = ["| family | paper |", "|---|---|"]
    for models, links in sorted(rows.items()):
        lines.append(f"| {', '.join(f'`{model}`' for model in models)} | {'; '.join(links)} |")
    return "\n".join(lines)


def toys() -> str:
    """The models of toys and targets as a Markdown table, from their cards."""
    lines = ["| name | model | parameters | test, nats | trained in |", "|---|---|---|---|---|"]
    for name in registry.pretrained():
        card = registry.card(name)
        if "kl_divergence" in card["test"] and not _of_integers(card):
            which = "KL(q, p)" if "log_normalizer_nats" in card["data"] else "KL(p, q)"
            lines.append(
                f"| `{name}` | {_title(card)} | {card['parameters']:,} | "
                f"{which} {_figure(card['test'], 'kl_divergence', 4)} | {_seconds(card)} |"
            )
    return "\n".join(lines)


def integers() -> str:
    """The models of integers of known probability as a Markdown table, from their cards."""
    lines = [
        "| name | model | parameters | bits a number | more draws | least possible | "
        "samples possible | "
        "trained in |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in registry.pretrained():
        card = registry.card(name)
        test = card["test"]
        if "kl_divergence" not in test or not _of_integers(card):
            continue
        bits = "bits_per_node" if "bits_per_node" in test else "bits_per_dim"
        draws = f" (K={test['samples']})" if "samples" in test else ""
        possible = f"{100 * test['possible']:.1f} %" if "possible" in test else ""
        lines.append(
            f"| `{name}` | {_title(card)} | {card['parameters']:,} | "
            f"{_figure(test, bits, 3)}{draws} | {_more(card, bits)} | "
            f"{test[f'entropy_{bits}']:.3f} | {possible} | {_seconds(card)} |"
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
        "| name | model | parameters | bits/dim | K draws | paper | trained in |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in registry.pretrained():
        card = registry.card(name)
        if card["data"]["source"] != "tfds" or "bits_per_dim" not in card["test"]:
            continue
        paper = card["paper"]["result"].removesuffix(" bits/dim")
        lines.append(
            f"| `{name}` | {_title(card)} | {card['parameters']:,} | "
            f"{_figure(card['test'], 'bits_per_dim', 3)} | {_more(card)} | {paper} | "
            f"{_seconds(card)} |"
        )
    return "\n".join(lines)


def texts() -> str:
    """The models of text as a Markdown table, from their cards."""
    lines = [
        "| name | model | parameters | bits a character | of a character alone | "
        "given the one before | trained in |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in registry.pretrained():
        card = registry.card(name)
        if card["data"]["source"] != "text":
            continue
        one, two = card["data"]["entropy_bits"].values()
        lines.append(
            f"| `{name}` | {_title(card)} | {card['parameters']:,} | "
            f"{_figure(card['test'], 'bits_per_dim', 3)} | {one:.3f} | {two:.3f} | "
            f"{_seconds(card)} |"
        )
    return "\n".join(lines)


def _of_integers(card: dict) -> bool:
    return families_of_models.modality(card["architecture"]["family"]) != "vectors"


def _more(card: dict, bits: str = "bits_per_dim") -> str:
    """The bound of more draws of noise, if the card has one."""
    more = card["test"].get(f"{bits}_of_more_draws", {})
    known = more.get(bits) is not None
    return f"{more[bits]:.3f} (K={more['samples']})" if known else ""


def _first(cards: dict) -> dict:
    return next(iter(cards.values()))


def _title(card: dict) -> str:
    title, url = card["summary"].rstrip("."), card["paper"]["url"]
    return f"[{title}]({url})" if url else title


def _seconds(card: dict) -> str:
    seconds = card["training"]["seconds"]
    if seconds >= 120:
        return f"{seconds / 60:.0f} min"
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


def pictures(folder: pathlib.Path) -> str:
    """A section with its pictures for every model but those of tables.

    Args:
      folder: the pictures, each called as its model, with the kind of picture after the first.

    Raises:
      ValueError: if a model has no picture.
    """
    owners = {}
    for path in sorted(folder.glob("*.png")):
        names = [n for n in registry.pretrained() if f"{path.stem}_".startswith(f"{n}_")]
        if names:
            owners.setdefault(max(names, key=len), []).append(path)
    sections = []
    for name in registry.pretrained():
        config = registry.trained_config(name)
        if config["data"]["source"] in registry.FILES:
            continue
        if name not in owners:
            raise ValueError(f"{name}: has no picture; python -m tools.documents {name} draws it")
        sections.append(f"## {name}\n\n{config['summary']}\n")
        for path in owners[name]:
            kind = path.stem.removeprefix(name).replace("_", " ").strip()
            text = f"{name}: {kind}" if kind else name
            sections.append(f"![{text}]({folder.name}/{path.name})\n")
    return "\n".join(sections).rstrip()


def draw(name: str, folder: pathlib.Path) -> None:
    """Draws the pictures of a model that comes with the zoo, if its kind of data has any."""
    config = ConfigDict(registry.trained_config(name))
    if config.data.source in registry.FILES:
        return
    flow = registry.load(name)
    with tempfile.TemporaryDirectory() as temporary:
        paths = modalities.of(flow).gallery(flow, config, pathlib.Path(temporary))
        for number, path in enumerate(paths):
            kind = f"_{pathlib.Path(path).stem}" if number else ""
            files.write(folder / f"{name}{kind}.png", lambda to, path=path: shutil.copy(path, to))


def compared(root: pathlib.Path) -> str:
    """The comparison of docs/tables.md, from the runs that are stored."""
    lines = (root / "benchmarks" / "tables.jsonl").read_text().splitlines()
    return comparison.report([json.loads(line) for line in lines])


def parts(root: pathlib.Path) -> dict[str, str]:
    """The generated parts, by their names."""
    return {
        "families": families(),
        "toys": toys(),
        "integers": integers(),
        "tables": tables(),
        "images": images(),
        "texts": texts(),
        "pictures": pictures(root / "docs" / "images"),
        "comparison": compared(root),
    }


def fill(text: str, contents: dict[str, str]) -> str:
    """A document with its generated parts as they should be.

    Raises:
      ValueError: for a part that there is not.
    """

    def content(match):
        begin, name, end = match.groups()
        if name not in contents:
            raise ValueError(f"generated: expected one of {', '.join(contents)}, got {name}")
        return f"{begin}\n{contents[name]}\n\n{end}"

    return _PART.sub(content, text)


def documents(root: pathlib.Path) -> list[pathlib.Path]:
    """The documents that may have generated parts."""
    return [root / "README.md", *sorted((root / "docs").glob("*.md"))]


def main(names: list[str]) -> None:
    """Draws the pictures of the models named, and writes the generated parts."""
    root = pathlib.Path(flags.FLAGS.root)
    for path in (root / "README.md", root / "docs" / "images", root / "benchmarks"):
        if not path.exists():
            raise ValueError(f"root: expected the folder of the repository, {path} is not there")
    for name in registry.pretrained() if flags.FLAGS.all else names:
        draw(name, root / "docs" / "images")
    contents = parts(root)
    for path in documents(root):
        old = path.read_text()
        new = fill(old, contents)
        if new != old:
            files.write(path, lambda to, new=new: to.write_text(new))
            print(path)


if __name__ == "__main__":
    cli.run(main, arguments=True)

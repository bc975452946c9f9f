"""Lists the models of the zoo: `python -m zoo`.

Each line gives a config's name, what it is and what it needs. `zoo.load(NAME)` loads those that
come trained; `python -m zoo.train --config=NAME --workdir=DIR` trains any of them.

Commands:
  python -m zoo.train     trains a model, on your table or images too
  python -m zoo.evaluate  tests a trained model
  python -m zoo.sample    draws from a trained model
  python -m export        exports a trained model for TF Serving
  python -m zoo.compress  compresses images with an integer flow; zoo.decompress gives them back
  python -m zoo.pretrain  retrains models of the zoo
  python -m zoo.demo      does all of it on two moons, in two minutes
  Each has --help.

Examples:
  python -m zoo
  python -m zoo --trained
"""

from __future__ import annotations

from absl import flags
from ml_collections import ConfigDict

from zoo import cli, registry


def trained_by(name: str, pretrained: dict[str, str]) -> list[str]:
    """Names of the trained models that were made from a config.

    Args:
      name: name of the config.
      pretrained: maps the name of each trained model to that of its config.
    """
    return [model for model, config in pretrained.items() if config == name]


def needs(config: ConfigDict) -> str:
    """The data that a user must provide to train a model; empty for none."""
    if config.data.source == "tfds":
        return f"{config.data.name} from TFDS"
    own = {"table": "a table", "text": "text", "smiles": "molecules", "images": "images"}
    return own.get(config.data.source, "")


def lines(trained_only: bool = False) -> list[str]:
    """The models, one per line: name, summary, trained or not, needs."""
    pretrained = {name: registry.trained_config(name)["name"] for name in registry.pretrained()}
    rows = []
    for name in registry.names():
        config = registry.config(name)
        models = trained_by(name, pretrained)
        if models:
            trained = "trained" if models == [name] else f"trained: {', '.join(models)}"
        elif trained_only:
            continue
        else:
            trained = "untrained"
        need = needs(config)
        trained += f"; needs {need}" if need and models != [name] else ""
        rows.append((name, trained, config.summary))
    width = max(len(name) for name, *_ in rows)
    return [f"{name:<{width}}  {summary} [{trained}]" for name, trained, summary in rows]


def main() -> None:
    """Prints the lines."""
    print("\n".join(lines(flags.FLAGS.trained)))


if __name__ == "__main__":
    flags.DEFINE_bool("trained", False, "List only models that come trained.")
    cli.begin("zoo", __doc__, light=True)
    cli.run(main)

"""Retrains models of the zoo: `python -m zoo.pretrain NAME ... --output=DIR`.

Each model is trained from its config, tested, and written to `OUTPUT/<name>/` as weights, config
and card; `zoo.load` takes the path of that folder. The models that come with the zoo stay as they
are unless `--in_place` replaces them. Models of a user's table, text or molecules are trained on
the file given by `--table`, `--text` or `--smiles`, and named after it: `maf_table` trained on
htru2.npz becomes `maf_htru2`.

Examples:
  python -m zoo.pretrain nsf_moons --output=trained
  python -m zoo.pretrain maf_table --table=rows.csv --output=trained
  python -m zoo.pretrain glow_mnist --data_dir=DIR --output=trained --workdir=runs
  python -m zoo.pretrain --all --table=rows.csv --text=FILE --smiles=FILE --data_dir=DIR \
    --output=trained
"""

from __future__ import annotations

from absl import flags

from zoo import cli

if __name__ == "__main__":  # before TensorFlow is imported, which takes seconds
    flags.DEFINE_bool("all", False, "Train all models that come trained with the zoo.")
    flags.DEFINE_string("table", None, "Table to train on, for models of your own table.")
    flags.DEFINE_string("text", None, "Text to train on, for models of your own text.")
    flags.DEFINE_string("smiles", None, "Molecules to train on, for models of your own molecules.")
    flags.DEFINE_string("data_dir", None, "Folder of TFDS data sets.")
    flags.DEFINE_string(
        "workdir", None, "Folder for the training runs; a temporary one by default."
    )
    flags.DEFINE_string(
        "output", None, "Folder to write the models to; required without --in_place."
    )
    flags.DEFINE_bool("in_place", False, "For maintainers: replace the zoo's own models.")
    cli.begin("zoo.pretrain", __doc__, arguments="NAME ...")

import os
import pathlib
import tempfile

import h5py

from tfflows import files
from zoo import families, outputs, registry
from zoo.evaluate import describe, evaluate
from zoo.train import train

_BOUND = 16  # draws of noise in the second bound on the card of a model of integers
_BOUND_ROWS = 2000


def pretrain(
    name: str,
    file: str | None = None,
    workdir: str | os.PathLike | None = None,
    output: str | os.PathLike | None = None,
    data_dir: str | None = None,
) -> dict:
    """Trains, tests and stores a model of the zoo.

    Args:
      name: name of the model.
      file: the table, text or molecules, for a model of a user's own.
      workdir: folder to train in or to resume from; a temporary one by default.
      output: folder in which the model's own folder is written.
      data_dir: folder of TFDS sets, for a model of a TFDS set.

    Returns:
      The card.

    Raises:
      ValueError: if there is no `output`, and as `train` and `evaluate` do.
    """
    if output is None:
        raise ValueError("output: expected a folder to write the model to, got None")
    config = registry.config(name)
    if config.data.source in registry.FILES:
        config.data.path = file
    if config.data.source == "tfds":
        config.data.data_dir = data_dir
    with tempfile.TemporaryDirectory() as temporary:
        run = pathlib.Path(workdir or temporary) / name
        train(config, run)
        result = evaluate(run, data_path=config.data.path)
        for bits in {"bits_per_dim", "bits_per_node"} & result.keys():
            if "samples" in result:
                more = evaluate(run, samples=_BOUND, rows=_BOUND_ROWS)
                result[f"{bits}_of_more_draws"] = more
        stored = registry.pretrained_name(config)
        card = registry.card(run) | {"name": stored, "test": result}
        values = registry.trained_config(run)
        values["data"]["path"] = None  # a path on one machine
        values["data"]["data_dir"] = None
        target = pathlib.Path(output) / stored
        target.mkdir(parents=True, exist_ok=True)
        # The card goes last: without it there is no model.
        (target / registry.CARD).unlink(missing_ok=True)
        weights = target / registry.WEIGHTS
        files.write(weights, lambda path: _compress(run / registry.WEIGHTS, path))
        card["weights_sha256"] = files.sha256(weights)
        files.write_json(target / registry.CONFIG, values)
        files.write_json(target / registry.CARD, card)
    return card


def _compress(source: pathlib.Path, path: pathlib.Path) -> None:
    """Copies an HDF5 file and compresses its arrays, which saves a tenth to a third."""
    with h5py.File(source) as given, h5py.File(path, "w", libver="latest") as copied:

        def copy(name, item):
            if isinstance(item, h5py.Dataset):
                options = {"compression": "gzip", "compression_opts": 9, "shuffle": True}
                new = copied.create_dataset(name, data=item[()], **(options if item.ndim else {}))
            else:
                new = copied.require_group(name)
            new.attrs.update(item.attrs)

        copied.attrs.update(given.attrs)
        given.visititems(copy)


def main(names: list[str]) -> None:
    """Trains the named models."""
    values = flags.FLAGS
    output = values.output
    if values.in_place:
        if output is not None:
            raise ValueError(
                "output: expected none with --in_place, which writes to the zoo itself, got "
                f"{output!r}"
            )
        output = registry.PRETRAINED
    if output is None:
        raise ValueError("output: expected --output=DIR, the folder to write the models to")
    if values.all:
        every = registry.names(paper_size=False)
        names = [name for name in every if registry.config(name).data.source != "images"]
    if not names:
        raise ValueError("names: expected names of models, or --all, got neither")
    configs = {name: registry.config(name) for name in names}  # raises for unknown names
    given = {source: values[source].value for source in registry.FILES}
    for source, file in given.items():
        need = [name for name, config in configs.items() if config.data.source == source]
        if need and not file:
            raise ValueError(f"{source}: {', '.join(need)} needs --{source}=FILE")
        if need and not pathlib.Path(file).is_file():
            raise ValueError(f"{source}: expected a file, got {file!r}")
    need = [name for name, config in configs.items() if config.data.source == "tfds"]
    if need and not values.data_dir:
        raise ValueError(f"data_dir: {', '.join(need)} needs --data_dir=FOLDER with TFDS data sets")
    if need and not pathlib.Path(values.data_dir).is_dir():
        raise ValueError(f"data_dir: expected a folder, got {values.data_dir!r}")
    for name, config in configs.items():
        if config.data.source == "images":
            raise ValueError(f"names: {name} is for your own images; train it with zoo.train")
    outputs.check_folder("output", output)
    for name in names:
        print(f"--- {name}", flush=True)
        file = given.get(configs[name].data.source)
        card = pretrain(name, file, values.workdir, output, values.data_dir)
        print(describe(card["test"], families.modality(configs[name].model.family)))


if __name__ == "__main__":
    cli.run(main, arguments=True)

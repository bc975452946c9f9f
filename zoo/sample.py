"""Draws from a trained model: `python -m zoo.sample --model=NAME --n=1000 --output=FILE`.

The file is a .npy, a .csv, or for one or two dimensions a .png. Row i depends only on the seed and
on `start + i`. Models of images write a .png or .npy, and do more than draw: see `--mode` and
`zoo.modalities.images.modes`.

Examples:
  python -m zoo.sample --model=nsf_moons --n=1000 --seed=1 --output=rows.csv
  python -m zoo.sample --model=runs/photos --n=64 --temperature=0.7 --output=samples.png
  python -m zoo.sample --model=runs/photos --mode=inpaint --mask=left --output=filled.png
"""

from __future__ import annotations

from absl import flags

from zoo import cli, modalities, registry

MODALITIES = [modalities.get(name) for name in modalities.names()]
MODES = list(dict.fromkeys(mode for modality in MODALITIES for mode in modality.modes))

if __name__ == "__main__":  # before TensorFlow is imported, which takes seconds
    flags.DEFINE_string("model", None, "Name of a zoo model, a work directory or a .keras file.")
    flags.DEFINE_enum(
        "mode", "samples", MODES, "What to make; models of vectors have only samples."
    )
    flags.DEFINE_integer(
        "n",
        None,
        "Number of draws (for each class in mode classes), or of completions in mode inpaint.",
    )
    flags.DEFINE_integer("seed", 0, "Seed of the draws.")
    flags.DEFINE_integer("start", 0, "Index of the first draw.")
    flags.DEFINE_float("temperature", 1.0, "Scale of a normal or logistic base.")
    for modality in MODALITIES:
        modality.define_flags()
    flags.DEFINE_string("data_path", None, "The data, if they are not where the config says.")
    flags.DEFINE_string("data_dir", None, "Folder of TFDS data sets, if it is not the config's.")
    flags.DEFINE_string("output", None, "File to write: .npy, .csv or .png.")
    cli.begin("zoo.sample", __doc__, ("model", "output"))


def main() -> None:
    """Does what the flags say."""
    values = flags.FLAGS
    model = registry.load(values.model)
    modality = modalities.of(model)
    if values.mode not in modality.modes:
        others = [name for name in modalities.names() if values.mode in modalities.get(name).modes]
        raise ValueError(
            f"mode: {values.mode} is for models of {', '.join(others)}, but {model.name} is a "
            f"model of {model.modality}"
        )
    _check_flags(values.mode, modality.modes[values.mode], model.modality)
    modality.check_output(model, values.output)
    facts = {} if values.model.endswith(".keras") else registry.card(values.model)["data"]
    drawn = modality.sample(
        model,
        values,
        facts,
        lambda: registry.data_of(values.model, values.data_path, values.data_dir),
    )
    drawn.write(values.output)
    if drawn.note:
        print(drawn.note)
    print(f"{drawn.title}: {values.output}")


def _check_flags(mode: str, read: set[str], kind: str) -> None:
    """Raises a ValueError if a flag is given that the mode does not read."""
    every = set().union(*(flags for modality in MODALITIES for flags in modality.modes.values()))
    for name in sorted(every - read):
        if flags.FLAGS[name].present:
            raise ValueError(f"{name}: mode {mode} does not use this flag for a model of {kind}")


if __name__ == "__main__":
    cli.run(main)

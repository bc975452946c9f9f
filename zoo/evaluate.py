"""Tests a trained model: `python -m zoo.evaluate --model=NAME_OR_WORKDIR`.

Figures are in nats, with two standard errors.

Examples:
  python -m zoo.evaluate --model=nsf_moons
  python -m zoo.evaluate --model=runs/rows --output=figures.json
  python -m zoo.evaluate --model=runs/photos --data_path=FOLDER --samples=16
  python -m zoo.evaluate --model=runs/rows --data_path=new_rows.csv --part=all
"""

from __future__ import annotations

from absl import flags

from zoo import choices, command

if __name__ == "__main__":  # before TensorFlow is imported, which takes seconds
    flags.DEFINE_string("model", None, "Name of a zoo model, or a work directory.")
    flags.DEFINE_string("data_path", None, "Table or images to test on, if others than its own.")
    flags.DEFINE_string("data_dir", None, "Folder of TFDS sets.")
    flags.DEFINE_enum(
        "part",
        "test",
        choices.PARTS,
        "Rows of a table or images to score: test, those that training holds back (a tenth of a "
        "file), or all, for new data in a file of their own.",
    )
    flags.DEFINE_integer("rows", None, "Number of these rows, the first; all by default.")
    command.define_samples()
    flags.DEFINE_string("output", None, "File for the figures, as JSON.")
    command.begin("zoo.evaluate", __doc__, ("model",))

import os

from tfflows import files
from zoo import modalities, outputs, registry


def evaluate(
    model: str | os.PathLike,
    data_path: str | None = None,
    data_dir: str | None = None,
    flow=None,
    samples: int | None = None,
    rows: int | None = None,
    part: str = "test",
) -> dict:
    """Tests a trained model on the test rows of its data, or on all rows of others.

    Args:
      model: a name or a work directory.
      data_path: the table or images, where they are not where the config says (or it says nothing).
        A table's columns are taken by the names that the card has, and classes by theirs.
      data_dir: the folder of TFDS, likewise.
      flow: the loaded model, where it has been loaded already.
      samples: draws of the dequantization noise in one bound, for a model of integers.
      rows: how many of the rows, the first, where not all.
      part: "test", the rows that training on these data would hold back, or "all", of a table or
        images that the model was not trained on.

    Returns:
      Figures in nats, each with `_two_standard_errors`: `log_likelihood`, the mean over these rows;
      for a model that standardises `log_likelihood_standardized`; for one of integers
      `bits_per_dim`; for one that gives noise the `samples` of the bound that these are, and for
      columns with cells `off_grid`, how many values of a column lie off its grid; for data of known
      density
      `kl_divergence`, the mean of log p_true - log q. For a target of reverse KL `kl_divergence` is
      the mean of log q - log p over the model's own draws.

    Raises:
      ValueError: if there is no such model, its data are not there, or all rows are asked for of
        those that the model was trained on, or of a density.
    """
    if part not in choices.PARTS:
        raise ValueError(f"part: expected one of {', '.join(choices.PARTS)}, got {part!r}")
    flow = registry.load(model) if flow is None else flow
    data = registry.data_of(model, data_path, data_dir)
    if tuple(data.event_shape) != tuple(flow.event_shape):
        expected, got = (
            f"{shape[0]} columns" if len(shape) == 1 else f"images {' x '.join(map(str, shape))}"
            for shape in (flow.event_shape, data.event_shape)
        )
        raise ValueError(f"data: the model expects {expected}, got {got}")
    command.set_samples(flow, samples)
    card = registry.card(model)["data"]
    known = card.get("sha256")
    if rows is not None and rows < 1:
        raise ValueError(f"rows: expected at least 1, got {rows}")
    is_other = bool(data_path) and (not known or known != data.facts["sha256"])
    if part == "all":
        if not is_other:
            raise ValueError("part: all is for data in a file of their own, given as data_path")
        data = data.whole()
    result = {"rows": len(data.test()[:rows])}
    if known and known != data.facts["sha256"]:
        result["note"] = f"not the table that the model was trained on ({card['name']})"
        if part == "test":
            result["note"] += ", and the test part of this one (--part=all scores all of it)"
    return result | modalities.of(flow).test(flow, data, rows)


def describe(result: dict, modality: str) -> str:
    """The figures of a model of that modality, a line each."""
    lines = modalities.get(modality).describe(result)
    lines.append(f"rows: {result['rows']} (+- is two standard errors)")
    if "note" in result:
        lines.append(f"note: {result['note']}")
    return "\n".join(lines)


def main() -> None:
    """Tests as the flags say."""
    values = flags.FLAGS
    if values.output:
        outputs.check_output(values.output)
    flow = registry.load(values.model)
    result = evaluate(
        values.model,
        values.data_path,
        values.data_dir,
        flow,
        samples=values.samples,
        rows=values.rows,
        part=values.part,
    )
    print(describe(result, flow.modality))
    if values.output:
        files.write_json(values.output, result)


if __name__ == "__main__":
    command.run(main)

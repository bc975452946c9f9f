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

from zoo import choices, cli

if __name__ == "__main__":  # before TensorFlow is imported, which takes seconds
    flags.DEFINE_string("model", None, "Name of a zoo model, or a work directory.")
    flags.DEFINE_string(
        "data_path", None, "Table or images to test on, instead of the model's own data."
    )
    flags.DEFINE_string("data_dir", None, "Folder of TFDS data sets.")
    flags.DEFINE_enum(
        "part",
        "test",
        choices.PARTS,
        "Rows of a table or images to score: test for those that training holds back (a tenth "
        "of a file), all for every row of a new file.",
    )
    flags.DEFINE_integer(
        "rows", None, "Number of these rows to score, from the first; all by default."
    )
    cli.define_samples()
    flags.DEFINE_string("output", None, "JSON file to write the figures to.")
    cli.begin("zoo.evaluate", __doc__, ("model",))

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
      data_path: the table or images, if they are not where the config says (or it says nothing). A
        table's columns and the images' classes are matched by their names on the card.
      data_dir: the folder of TFDS sets, likewise.
      flow: the model, if it has been loaded already.
      samples: draws of the dequantization noise in one bound, for a model of integers.
      rows: number of rows to score, the first ones; all by default.
      part: "test" for the rows that training on these data would hold back; "all" for every row of
        a table or images that the model was not trained on.

    Returns:
      Figures in nats, each with `_two_standard_errors`:

      * `log_likelihood`: the mean over these rows;
      * `log_likelihood_standardized`, for a model that standardises;
      * `bits_per_dim`, in bits, for a model of integers; of nodes of graphs it is `bits_per_node`;
      * `samples`, for a model that adds noise: the number of draws in the bound;
      * `off_grid`, for columns with cells: how many values of a column lie off its grid;
      * `kl_divergence`, for data of known density: the mean of log p_true - log q; for a target of
        reverse KL, the mean of log q - log p over the model's own draws;
      * `entropy` of such data, and in bits `entropy_bits_per_dim` or `entropy_bits_per_node`: the
        least possible loss, without an error;
      * `possible`, for sets and colourings: the share of `draws` draws that the data may hold.

    Raises:
      ValueError: if there is no such model, if its data are missing, or if `part` is "all" for the
        data that the model was trained on or for a density.
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
    cli.set_samples(flow, samples)
    card = registry.card(model)["data"]
    known = card.get("sha256")
    if rows is not None and rows < 1:
        raise ValueError(f"rows: expected at least 1, got {rows}")
    if part == "all":
        own = registry.trained_config(model)["data"]["path"]
        is_own = own and data_path and os.path.realpath(data_path) == os.path.realpath(own)
        if not data_path or is_own or (known and known == data.facts["sha256"]):
            raise ValueError("part: all expects new data, in a file given as data_path")
        data = data.whole()
    result = {"rows": len(data.test()[:rows])}
    if known and known != data.facts["sha256"]:
        result["note"] = f"not the table that the model was trained on ({card['name']})"
        if part == "test":
            result["note"] += (
                "; only the test part of this one is scored (--part=all scores every row)"
            )
    return result | modalities.of(flow).test(flow, data, rows)


def describe(result: dict, modality: str) -> str:
    """The figures of a model of that modality, one per line."""
    lines = modalities.get(modality).describe(result)
    lines.append(f"rows: {result['rows']} (+- is two standard errors)")
    if "note" in result:
        lines.append(f"note: {result['note']}")
    return "\n".join(lines)


def main() -> None:
    """Tests the model as the flags say."""
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
    cli.run(main)

"""Compresses images without loss: `python -m zoo.compress --model=NAME --input=FOLDER_OR_NPY`.

The model has to be an integer flow with quantized networks, such as idf_mnist. Images of its size
are coded by its probabilities; all others, and those that it would make larger, are kept as they
are. `python -m zoo.decompress` gives the same pixels back, on any machine. It needs the package
constriction (`pip install 'tfflows[codec]'`).

Examples:
  python -m zoo.compress --model=idf_mnist --input=digits.npy --output=digits.tfz
  python -m zoo.compress --model=runs/photos --input=FOLDER --output=photos.tfz
"""

from __future__ import annotations

from absl import flags

from zoo import cli

if __name__ == "__main__":  # before TensorFlow is imported, which takes seconds
    flags.DEFINE_string("model", None, "Name of a zoo model, a work directory or a .keras file.")
    flags.DEFINE_string("input", None, "Folder of images, or a .npy of uint8 [n, H, W, C].")
    flags.DEFINE_string("output", None, "File to write, .tfz.")
    flags.DEFINE_integer("batch_size", 64, "Images that go through the networks at a time.")
    cli.begin("zoo.compress", __doc__, ("model", "input", "output"))

import os
import pathlib
import time

import numpy as np

from tfflows import codec, files
from tfflows.data import image_folder, pixels
from zoo import outputs, registry


def compress(
    model: str | os.PathLike, path: str | os.PathLike, output: str | os.PathLike, batch_size=64
) -> dict:
    """Compresses images into a file.

    Args:
      model: a name, a work directory or a .keras file.
      path: a folder of images, or a .npy of `uint8 [n, H, W, C]` or `[n, H, W]`.
      output: the file to write.
      batch_size: images that go through the networks at a time.

    Returns:
      `images`, their number; `input_bytes`, of the files or the array; `bytes`, of the result;
      `seconds`; and `left_out`, the names of files in the folder that are not images.

    Raises:
      ValueError: if the model is no integer flow with quantized networks, or there are no images.
    """
    outputs.check_output(output)
    if pathlib.Path(output).suffix != ".tfz":
        raise ValueError(f"output: expected a .tfz file, got {str(output)!r}")
    coder = codec.Codec(registry.load(model), batch_size)
    images, names, originals, left_out = _read(pathlib.Path(path))
    began = time.monotonic()
    data = coder.compress(images, names, originals)
    seconds = time.monotonic() - began
    files.write(output, lambda to: to.write_bytes(data))
    size = images.nbytes if isinstance(images, np.ndarray) else sum(map(len, originals))
    return {
        "images": len(images),
        "input_bytes": size,
        "bytes": len(data),
        "seconds": seconds,
        "left_out": left_out,
    }


def _read(path: pathlib.Path):
    """Images, and for a folder the names and contents of their files."""
    if path.suffix == ".npy" and path.is_file():
        try:
            images = np.load(path, allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise ValueError(f"input: {path} cannot be read: {error}") from None
        if images.dtype != np.uint8 or images.ndim not in (3, 4) or not images.size:
            raise ValueError(
                f"input: expected uint8 [n, height, width, channels] in {path}, got "
                f"{images.dtype} {list(images.shape)}"
            )
        return images, (), (), []
    if not path.is_dir():
        raise ValueError(f"input: expected a folder or a .npy file, got {str(path)!r}")
    found = image_folder.find(path)
    if not found:
        raise ValueError(f"input: no images in {str(path)!r}")
    originals = [file.read_bytes() for file in found]
    images = [pixels.decode_exactly(data) for data in originals]
    names = [file.relative_to(path).as_posix() for file in found]
    known = set(found)
    others = [p for p in path.rglob("*") if p.is_file() and p not in known]
    return images, names, originals, sorted(p.relative_to(path).as_posix() for p in others)


def main() -> None:
    """Compresses as the flags say."""
    values = flags.FLAGS
    facts = compress(values.model, values.input, values.output, values.batch_size)
    if facts["left_out"]:
        count, first = len(facts["left_out"]), facts["left_out"][0]
        print(f"left out, as they are no images: {count} files, such as {first}")
    rate = facts["images"] / max(facts["seconds"], 1e-9)
    print(
        f"{facts['images']} images: {facts['input_bytes']:,} bytes to {facts['bytes']:,} "
        f"({facts['bytes'] / facts['input_bytes']:.1%}), {rate:.0f} images a second\n"
        f"{values.output}"
    )


if __name__ == "__main__":
    cli.run(main)

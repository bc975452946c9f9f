"""Compresses images without loss: `python -m zoo.compress --model=NAME --input=FOLDER_OR_NPY`.

The model must be an integer flow with quantized networks, such as one of the config idf_images.
Images of its size are coded by its probabilities. All others, and those that it would make larger,
are stored without it. `python -m zoo.decompress` gives the same pixels back, on any machine. Both
commands need the package constriction (`pip install 'tfflows[codec]'`).

Examples:
  python -m zoo.compress --model=runs/idf --input=FOLDER --output=photos.tfz
  python -m zoo.compress --model=runs/idf --input=images.npy --output=images.tfz
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
from tfflows.codec import container
from tfflows.data import image_folder, pixels
from zoo import outputs, registry

_LONGEST_NAME = 255  # bytes, of a file system


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
      `seconds`; and `left_out`, the names of files in the folder that are hidden or no images.

    Raises:
      ValueError: if the model is no integer flow with quantized networks, or there are no images.
    """
    outputs.check_output(output)
    if pathlib.Path(output).suffix != ".tfz":
        raise ValueError(f"output: expected a .tfz file, got {str(output)!r}")
    images, names, originals, left_out = _read(pathlib.Path(path))
    coder = codec.Codec(registry.load(model), batch_size)
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
    """Images, for a folder the names and contents of their files, and names of other files."""
    if path.suffix == ".npy" and path.is_file():
        return _array(path), (), (), []
    if not path.is_dir():
        raise ValueError(f"input: expected a folder or a .npy file, got {str(path)!r}")
    found = [file for file in image_folder.find(path) if file.is_file()]
    if not found:
        raise ValueError(f"input: no images in {str(path)!r}")
    originals = [file.read_bytes() for file in found]
    images = [pixels.decode_exactly(data) for data in originals]
    names = [file.relative_to(path).as_posix() for file in found]
    for name in names:
        try:
            container.pack_names([name])
        except ValueError:
            raise ValueError(
                f"input: expected names of files in UTF-8, without line breaks, got {name!r:.200}"
            ) from None
    for place in _in_the_way(names):  # these come back as they are, under their own names
        images[place] = None
    known = set(found)
    others = [p for p in path.rglob("*") if p not in known and not p.is_dir()]
    return images, names, originals, sorted(p.relative_to(path).as_posix() for p in others)


def _in_the_way(names: list[str]) -> list[int]:
    """Places of the names that cannot have `.png` added to them."""
    taken = {str(parent) for name in names for parent in pathlib.PurePosixPath(name).parents}
    taken |= set(names)
    found = []
    for place, name in enumerate(names):
        last = name.rpartition("/")[2]
        if not name.lower().endswith(".png") and (
            f"{name}.png" in taken or len(f"{last}.png".encode()) > _LONGEST_NAME
        ):
            found.append(place)
    return found


def _array(path: pathlib.Path) -> np.ndarray:
    try:
        images = np.load(path, allow_pickle=False)
    except Exception as error:  # NumPy raises many kinds of error for damaged files
        reason = " ".join(str(error).split())
        raise ValueError(f"input: {str(path)!r} cannot be read: {reason}") from None
    if not isinstance(images, np.ndarray):
        raise ValueError(f"input: expected one array in {str(path)!r}, got several")
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or not images.size:
        raise ValueError(
            f"input: expected uint8 [n, height, width, channels], none of them 0, in "
            f"{str(path)!r}, got {images.dtype} {list(images.shape)}"
        )
    return images


def main() -> None:
    """Compresses as the flags say."""
    values = flags.FLAGS
    facts = compress(values.model, values.input, values.output, values.batch_size)
    if facts["left_out"]:
        count, first = len(facts["left_out"]), facts["left_out"][0]
        number = "1 file" if count == 1 else f"{count} files"
        print(f"left out (hidden, or no images): {number}, such as {first}")
    rate = facts["images"] / max(facts["seconds"], 1e-9)
    print(
        f"{facts['images']} images: {facts['input_bytes']:,} bytes to {facts['bytes']:,} "
        f"({facts['bytes'] / facts['input_bytes']:.1%}), {rate:.0f} images a second\n"
        f"{values.output}"
    )


if __name__ == "__main__":
    cli.run(main)

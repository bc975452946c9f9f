"""Decompresses images: `python -m zoo.decompress --input=FILE.tfz --output=FOLDER_OR_NPY`.

The file names its model by a fingerprint, which is looked up among the models of the zoo; a model
of your own is given by --model. Pixels are those that were compressed, bit for bit. Images of a
folder are written as PNG files under their names; a file that was kept as it is comes back as it
was.

Examples:
  python -m zoo.decompress --input=digits.tfz --output=digits.npy
  python -m zoo.decompress --input=photos.tfz --model=runs/photos --output=FOLDER
"""

from __future__ import annotations

from absl import flags

from zoo import cli

if __name__ == "__main__":  # before TensorFlow is imported, which takes seconds
    flags.DEFINE_string("input", None, "File to read, .tfz.")
    flags.DEFINE_string("output", None, "New folder, or .npy file, to write.")
    flags.DEFINE_string(
        "model", None, "Name, work directory or .keras file, if the model is not one of the zoo."
    )
    flags.DEFINE_integer("batch_size", 64, "Images that go through the networks at a time.")
    cli.begin("zoo.decompress", __doc__, ("input", "output"))

import io
import os
import pathlib
import shutil

import numpy as np
import PIL.Image

from tfflows import codec, files
from tfflows.codec import container
from zoo import outputs, registry

_FAMILY = "ImageIntegerDiscreteFlow"


def decompress(
    path: str | os.PathLike,
    output: str | os.PathLike,
    model: str | os.PathLike | None = None,
    batch_size: int = 64,
) -> int:
    """Writes the images of a compressed file.

    Args:
      path: the file.
      output: a folder that does not exist or is empty, or a .npy file.
      model: the model, if it is not one of the zoo.
      batch_size: images that go through the networks at a time.

    Returns:
      The number of images.

    Raises:
      ValueError: if the file is damaged or of another model, or cannot be written so.
    """
    path, output = pathlib.Path(path), pathlib.Path(output)
    as_array = output.suffix == ".npy"
    if as_array:
        outputs.check_output(output)
    else:
        outputs.check_folder("output", output)
        if output.is_dir() and any(output.iterdir()):
            raise ValueError(f"output: expected a new or empty folder, got {str(output)!r}")
    data = path.read_bytes()
    wanted = container.read(data).fingerprint
    coder = codec.Codec(_find(wanted) if model is None else registry.load(model), batch_size)
    images, names = coder.decompress(data)
    if as_array:
        array = _array(images)
        files.write(output, lambda to: np.save(to, array))
        return len(images)
    names = _names(names, len(images))
    if isinstance(images, np.ndarray) and images.ndim == 3:
        images = images[..., np.newaxis]
    _write(images, names, output)
    return len(images)


def _find(wanted: bytes):
    """The model of the zoo with this fingerprint."""
    for name in registry.pretrained():
        if registry.card(name)["architecture"]["family"] == _FAMILY:
            model = registry.load(name)
            if codec.fingerprint(model) == wanted:
                return model
    raise ValueError(
        f"model: no model of the zoo has the fingerprint {wanted.hex()[:12]}...; give the model "
        "that compressed the file by --model"
    )


def _array(images) -> np.ndarray:
    if isinstance(images, np.ndarray):
        return images
    shapes = {getattr(image, "shape", None) for image in images}
    if len(shapes) != 1 or None in shapes:
        raise ValueError(
            "output: expected a folder, as the images are of several shapes or kinds of file, got "
            "a .npy file"
        )
    return np.stack(images)


def _names(names, count: int) -> list[pathlib.PurePosixPath]:
    """Relative paths of the images' files."""
    if not names:
        digits = len(str(max(count - 1, 0)))
        return [pathlib.PurePosixPath(f"{i:0{digits}}.png") for i in range(count)]
    found = [pathlib.PurePosixPath(name) for name in names]
    for name in found:
        if name.is_absolute() or ".." in name.parts or not name.parts:
            raise ValueError(f"input: a name that leads out of the folder: {str(name)!r}")
    return found


def _write(images, names, output: pathlib.Path) -> None:
    temporary = output.with_name(f".tmp-{os.getpid()}-{output.name}")
    try:
        taken = set()
        for image, name in zip(images, names, strict=True):
            whole = isinstance(image, bytes)
            if not whole and name.suffix.lower() != ".png":
                name = name.with_name(f"{name.name}.png")
            if name in taken:
                raise ValueError(f"input: two images of the name {str(name)!r}")
            taken.add(name)
            place = temporary / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(image if whole else _png(image))
        if output.is_dir():
            output.rmdir()  # it is empty
        os.replace(temporary, output)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    try:
        picture = PIL.Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    except TypeError:
        raise ValueError(
            f"output: expected a .npy file for images of {image.shape[-1]} channels, got a folder"
        ) from None
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


def main() -> None:
    """Decompresses as the flags say."""
    values = flags.FLAGS
    count = decompress(values.input, values.output, values.model, values.batch_size)
    print(f"{count} images\n{values.output}")


if __name__ == "__main__":
    cli.run(main)

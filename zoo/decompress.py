"""Decompresses images: `python -m zoo.decompress --input=FILE.tfz --output=FOLDER_OR_NPY`.

--model is the model that compressed the file. If it is one of the zoo, the command finds it by the
fingerprint in the file. The pixels are those that were compressed, bit for bit. Images of a folder
are written as PNG files under their names. A file that was stored unchanged comes back unchanged.

Examples:
  python -m zoo.decompress --model=runs/idf --input=photos.tfz --output=FOLDER
  python -m zoo.decompress --model=runs/idf --input=images.tfz --output=images.npy
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

import os
import pathlib
import shutil
import tempfile

import numpy as np

from tfflows import codec, files
from tfflows.codec import container, stored
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
    path, output = pathlib.Path(path), pathlib.Path(os.path.abspath(output))
    as_array = output.suffix == ".npy"
    if as_array:
        outputs.check_output(output)
    else:
        outputs.check_folder("output", output)
        if output.is_symlink() or (output.is_dir() and any(output.iterdir())):
            raise ValueError(f"output: expected a new or empty folder, got {str(output)!r}")
    data = path.read_bytes()
    wanted = container.read(data).fingerprint
    coder = codec.Codec(_find(wanted) if model is None else registry.load(model), batch_size)
    images, names = coder.decompress(data)
    if as_array:
        array = _array(images)
        files.write(output, lambda to: np.save(to, array))
        return len(images)
    names = _names(names, images)
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
    if not images:
        raise ValueError("output: expected a folder, as there are no images, got a .npy file")
    shapes = {getattr(image, "shape", None) for image in images}
    if len(shapes) != 1 or None in shapes:
        raise ValueError(
            "output: expected a folder, as the images are of several shapes or kinds of file, got "
            "a .npy file"
        )
    return np.stack(images)


def _names(names, images) -> list[pathlib.PurePosixPath]:
    """Relative paths of the images' files.

    Raises:
      ValueError: if one leads out of the folder, or two cannot be in one folder.
    """
    digits = len(str(max(len(images) - 1, 0)))
    names = names or [f"{i:0{digits}}.png" for i in range(len(images))]
    found = []
    for name, image in zip(names, images, strict=True):
        place = pathlib.PurePosixPath(name)
        windows = pathlib.PureWindowsPath(name)
        outside = os.name == "nt" and (windows.drive or ".." in windows.parts)
        if place.is_absolute() or ".." in place.parts or not place.parts or "\0" in name or outside:
            raise ValueError(f"input: a name that leads out of the folder: {name!r:.200}")
        if not isinstance(image, bytes) and place.suffix.lower() != ".png":
            place = place.with_name(f"{place.name}.png")
        found.append(place)
    folders = {parent for place in found for parent in place.parents}
    if len(set(found)) < len(found) or folders & set(found):
        raise ValueError("input: expected names that can be in one folder, got two that cannot")
    return found


def _write(images, names, output: pathlib.Path) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    temporary = pathlib.Path(tempfile.mkdtemp(prefix=".tmp-", dir=output.parent))
    try:
        temporary.chmod(0o777 & ~_umask())
        for image, name in zip(images, names, strict=True):
            place = temporary / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(image if isinstance(image, bytes) else _png(image))
        os.replace(temporary, output)  # takes the place of an empty folder too
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _umask() -> int:
    value = os.umask(0)
    os.umask(value)
    return value


def _png(image: np.ndarray) -> bytes:
    if image.shape[-1] not in (1, 3, 4):
        raise ValueError(
            f"output: expected a .npy file for images of {image.shape[-1]} channels, got a folder"
        )
    return stored.png(image)


def main() -> None:
    """Decompresses as the flags say."""
    values = flags.FLAGS
    count = decompress(values.input, values.output, values.model, values.batch_size)
    print(f"{count} images\n{values.output}")


if __name__ == "__main__":
    cli.run(main)

"""Makes the data of `glow_cifar10_small`: `python -m zoo.datasets.cifar10_20k --data_dir=DIR`.

The set is 20,000 training images of CIFAR-10 and 9,979 of its test images. cifar10_20k.npz holds
a digest of each image, in the order of the set, so the result does not depend on the order in which
CIFAR-10 is read.

The folder must hold CIFAR-10 as TFDS prepares it: `tfds build cifar10 --data_dir=DIR`.

Examples:
  tfds build cifar10 --data_dir=DIR
  python -m zoo.datasets.cifar10_20k --data_dir=DIR
"""

from __future__ import annotations

from absl import flags

from zoo import cli

if __name__ == "__main__":  # before TensorFlow is imported, which takes seconds
    flags.DEFINE_string(
        "data_dir", None, "Folder of TFDS data sets with cifar10; the new set is written there."
    )
    cli.begin("zoo.datasets.cifar10_20k", __doc__, ("data_dir",))

import hashlib
import pathlib

import numpy as np

from tfflows.data import images
from zoo import outputs

NAME, VERSION = "cifar10_20k", "1.0.0"
_DIGESTS = pathlib.Path(__file__).with_name("cifar10_20k.npz")


def digests(x: np.ndarray) -> np.ndarray:
    """A number for each image: the first 8 bytes of the SHA-256 of its pixels.

    Args:
      x: `uint8 [n, H, W, C]`.

    Returns:
      `uint64 [n]`.
    """
    found = b"".join(hashlib.sha256(image.tobytes()).digest()[:8] for image in x)
    return np.frombuffer(found, "<u8")


def chosen(x: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Finds the images that have the given digests.

    Args:
      x: `uint8 [n, H, W, C]`.
      wanted: digests, `uint64 [m]`.

    Returns:
      `int64 [m]`, the index of each in `x`.

    Raises:
      ValueError: if an image is not in `x`.
    """
    place = {digest: row for row, digest in enumerate(digests(x).tolist())}
    rows = [place[digest] for digest in wanted.tolist() if digest in place]
    if len(rows) < len(wanted):
        raise ValueError(
            f"data_dir: expected all {len(wanted)} images of {NAME} in its cifar10, got {len(rows)}"
        )
    return np.array(rows)


def make(data_dir: str) -> None:
    """Writes the set to the folder of the CIFAR-10 that it is taken from.

    Args:
      data_dir: a folder of TFDS sets with `cifar10`.

    Raises:
      ValueError: if the folder already has the set, has no CIFAR-10, or has a different one.
    """
    place = pathlib.Path(data_dir).expanduser()
    if (place / NAME / VERSION).exists():  # an interrupted run is under another name
        raise ValueError(f"data_dir: {place} already has a data set {NAME!r}")
    outputs.check_folder("data_dir", place)
    with np.load(_DIGESTS) as file:
        wanted = dict(file)
    found = {}
    for split, numbers in wanted.items():
        whole = images.tfds_images("cifar10", place, split)
        rows = chosen(whole.x, numbers)
        found[split] = images.Images(
            whole.x[rows], whole.labels[rows], class_names=whole.class_names
        )
    _write(found, place)


def _write(splits: dict[str, images.Images], place: pathlib.Path) -> None:
    """Writes the set in TFDS's format, all of it or nothing."""
    import tensorflow_datasets as tfds

    class Builder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
        """20,000 training and 9,979 test images of CIFAR-10."""

        name = NAME
        VERSION = tfds.core.Version(VERSION)
        url_infos = {}  # otherwise TFDS looks for a file of checksums

        def _info(self):
            names = next(iter(splits.values())).class_names
            return tfds.core.DatasetInfo(
                builder=self,
                description=Builder.__doc__,
                features=tfds.features.FeaturesDict(
                    {
                        "image": tfds.features.Image(shape=(32, 32, 3)),
                        "label": tfds.features.ClassLabel(names=names),
                    }
                ),
                homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
                citation="Krizhevsky, Learning multiple layers of features from tiny images, 2009",
                disable_shuffling=True,
            )

        def _split_generators(self, dl_manager):
            return {split: self._generate_examples(part) for split, part in splits.items()}

        def _generate_examples(self, part):
            for i, (image, label) in enumerate(zip(part.x, part.labels, strict=True)):
                yield i, {"image": image, "label": int(label)}

    Builder(data_dir=str(place)).download_and_prepare()


def main() -> None:
    """Makes the set in the folder given by the flag."""
    make(flags.FLAGS.data_dir)
    print(f"{NAME} is in {flags.FLAGS.data_dir}")


if __name__ == "__main__":
    cli.run(main)

"""The set that `zoo.datasets.cifar10_20k` chooses from CIFAR-10."""

import os

import numpy as np
import pytest
import tensorflow_datasets as tfds

from tests.zoo import binaries
from tfflows.data import tfds_images
from zoo.datasets import cifar10_20k

RNG = np.random.default_rng(0)
X = {
    split: RNG.integers(0, 256, (n, 32, 32, 3), np.uint8)
    for split, n in (("train", 9), ("test", 6))
}
NAMES = [f"class {i}" for i in range(10)]


class Cifar10(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """As TFDS writes CIFAR-10, which it shuffles."""

    VERSION = tfds.core.Version("3.0.2")
    url_infos = {}
    name = "cifar10"

    def _info(self):
        features = {
            "id": tfds.features.Text(),
            "image": tfds.features.Image(shape=(32, 32, 3)),
            "label": tfds.features.ClassLabel(names=NAMES),
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(x) for split, x in X.items()}

    def _generate_examples(self, x):
        for i, image in enumerate(x):
            yield i, {"id": str(i), "image": image, "label": i}


@pytest.fixture
def data_dir(tmp_path):
    Cifar10(data_dir=str(tmp_path)).download_and_prepare()
    return tmp_path


def test_the_set_has_the_images_of_the_digests_in_their_order(data_dir, tmp_path, monkeypatch):
    rows = {"train": [7, 0, 3], "test": [5, 2]}
    wanted = {split: cifar10_20k.digests(X[split][rows[split]]) for split in X}
    np.savez(tmp_path / "digests.npz", **wanted)
    monkeypatch.setattr(cifar10_20k, "_DIGESTS", tmp_path / "digests.npz")
    (data_dir / "cifar10_20k" / "1.0.0.incompleteABC").mkdir(parents=True)  # of an interrupted run
    cifar10_20k.make(str(data_dir))
    for split in X:
        found = tfds_images("cifar10_20k", data_dir, split)
        np.testing.assert_array_equal(found.x, X[split][rows[split]])
        np.testing.assert_array_equal(found.labels, rows[split])
        assert found.class_names == NAMES
    with pytest.raises(ValueError, match="already has a data set 'cifar10_20k'"):
        cifar10_20k.make(str(data_dir))


def test_a_cifar10_without_the_images_is_refused(data_dir):
    error = binaries.error_of(f"--data_dir={data_dir}", module="zoo.datasets.cifar10_20k")
    expected = "error: data_dir: expected all 20000 images of cifar10_20k in its cifar10, got 0"
    assert error == expected
    assert not (data_dir / "cifar10_20k").exists()


def test_the_digests_are_those_of_the_set():
    folder = os.environ.get("TFFLOWS_TFDS")
    if not folder:
        pytest.skip("TFFLOWS_TFDS names no folder of prepared TFDS sets")
    with np.load(cifar10_20k._DIGESTS) as file:
        assert {split: len(set(file[split].tolist())) for split in file} == {
            "train": 20_000,
            "test": 9_979,
        }
        x = tfds_images("cifar10_20k", folder, "test").x
        np.testing.assert_array_equal(cifar10_20k.digests(x), file["test"])

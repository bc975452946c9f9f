"""Images of TFDS sets; TFFLOWS_TFDS names a folder with real ones."""

import os

import numpy as np
import pytest
import tensorflow_datasets as tfds

from tfflows.data import tfds_images


class Builder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """A set of `images` that downloads nothing."""

    VERSION = tfds.core.Version("1.0.0")
    url_infos = {}  # TFDS would look for a checksums file beside the code

    def _info(self):
        features = tfds.features.FeaturesDict(self.kinds)
        return tfds.core.DatasetInfo(builder=self, features=features)

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        yield from enumerate(self.examples())


class TinyDigits(Builder, skip_registration=True):
    """Like MNIST, with a second image and label and a feature that is neither."""

    kinds = {
        "coarse_label": tfds.features.ClassLabel(num_classes=2),
        "image": tfds.features.Image(shape=(4, 6, 1)),
        "a_mask": tfds.features.Image(shape=(4, 6, 1)),
        "label": tfds.features.ClassLabel(names=["zero", "one", "two"]),
        "id": tfds.features.Text(),
    }

    def examples(self):
        for i in range(12):
            image = np.full((4, 6, 1), i, np.uint8)
            yield dict(coarse_label=0, image=image, a_mask=0 * image, label=i % 3, id=str(i))


class TinyPhotos(Builder, skip_registration=True):
    """Like CelebA before it is cropped: no labels, images of many sizes."""

    kinds = {"photo": tfds.features.Image(shape=(None, None, 3))}

    def examples(self):
        for i in range(3):
            yield {"photo": np.full((4 + i, 6, 3), 10 * i, np.uint8)}


class TinyUnlabelled(Builder, skip_registration=True):
    """Labels are not known."""

    kinds = {
        "image": tfds.features.Image(shape=(2, 2, 1)),
        "label": tfds.features.ClassLabel(num_classes=3),
    }

    def examples(self):
        yield {"image": np.zeros((2, 2, 1), np.uint8), "label": -1}


class TinyNumbers(Builder, skip_registration=True):
    """No images."""

    kinds = {"x": tfds.features.Scalar(np.float32)}

    def examples(self):
        yield {"x": 1.0}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tfds")
    for builder in (TinyDigits, TinyPhotos, TinyUnlabelled, TinyNumbers):
        builder(data_dir=str(folder)).download_and_prepare()
    return folder


def test_tfds_images_and_labels(data_dir):
    result = tfds_images("tiny_digits", data_dir, "train")
    assert result.x.shape == (12, 4, 6, 1) and result.x.dtype == np.uint8
    np.testing.assert_array_equal(np.sort(result.x[:, 3, 5, 0]), np.arange(12))
    np.testing.assert_array_equal(result.labels, result.x[:, 0, 0, 0] % 3)
    assert result.labels.dtype == np.int64 and result.class_names == ["zero", "one", "two"]
    part = tfds_images("tiny_digits", data_dir, "train[50%:]", size=(2, 2), channels=3)
    np.testing.assert_array_equal(part.x, np.repeat(result.x[6:, :2, :2], 3, axis=-1))


def test_tfds_images_of_many_sizes(data_dir):
    with pytest.raises(ValueError, match=r"size: expected .*example 0 has . x 6 .*example 1 has"):
        tfds_images("tiny_photos", data_dir, "train")
    result = tfds_images("tiny_photos", data_dir, "train", size=(2, 2), crop=4)
    assert result.x.shape == (3, 2, 2, 3) and result.labels is None
    np.testing.assert_array_equal(np.sort(result.x[:, 0, 0, 0]), [0, 10, 20])
    with pytest.raises(ValueError, match=r"example \d: expected at least 5 x 5 .* got 4 x 6"):
        tfds_images("tiny_photos", data_dir, "train", crop=5)


def test_tfds_labels_that_are_not_known(data_dir):
    assert tfds_images("tiny_unlabelled", data_dir, "train").labels is None


def test_tfds_errors(data_dir):
    with pytest.raises(ValueError, match="prepare it with: tfds build cifar10 --data_dir="):
        tfds_images("cifar10", data_dir, "train")
    with pytest.raises(ValueError, match="TFDS cannot prepare a data set of that name"):
        tfds_images("absent", data_dir, "train")
    with pytest.raises(ValueError, match="split: expected one of train, got 'test'"):
        tfds_images("tiny_digits", data_dir, "test")
    with pytest.raises(ValueError, match=r"split: expected images, got none in 'train\[:0\]'"):
        tfds_images("tiny_digits", data_dir, "train[:0]")
    with pytest.raises(ValueError, match="expected a data set with images, got 'tiny_numbers'"):
        tfds_images("tiny_numbers", data_dir, "train")


@pytest.mark.parametrize(
    ("name", "shape", "mean"),
    [("mnist", (28, 28, 1), 33.79), ("fashion_mnist", (28, 28, 1), 73.15)],
)
def test_real_sets(name, shape, mean):
    folder = os.environ.get("TFFLOWS_TFDS")
    if not folder:
        pytest.skip("TFFLOWS_TFDS names no folder of prepared TFDS sets")
    result = tfds_images(name, folder, "test")
    assert result.x.shape == (10_000, *shape)
    assert np.bincount(result.labels).sum() == 10_000 and result.labels.max() == 9
    assert abs(result.x.mean() - mean) < 0.01

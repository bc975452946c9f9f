import numpy as np
import pytest

from tfflows.data import tfds_table
from tfflows.data.table import prepare

tfds = pytest.importorskip("tensorflow_datasets")


class Builder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """A set that downloads nothing."""

    VERSION = tfds.core.Version("1.0.0")
    url_infos = {}  # TFDS would look for a checksums file beside the code


class TinyMixed(Builder, skip_registration=True):
    """A set with every kind of feature."""

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict(
                {
                    "age": tfds.features.Scalar(np.float32),
                    "image": tfds.features.Image(shape=(2, 2, 1)),
                    "label": tfds.features.ClassLabel(num_classes=3),
                    "more": {"size": tfds.features.Tensor(shape=(2,), dtype=np.int32)},
                    "name": tfds.features.Text(),
                    "tags": tfds.features.Sequence(np.int64),
                }
            ),
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(30, 0), "test": self._generate_examples(5, 100)}

    def _generate_examples(self, n, first):
        for i in range(first, first + n):
            yield (
                i,
                {
                    "age": i + 0.5,
                    "image": np.full((2, 2, 1), i, np.uint8),
                    "label": i % 3,
                    "more": {"size": [i, -i]},
                    "name": str(i),
                    "tags": [1] * (i % 3),
                },
            )


class TinyImages(Builder, skip_registration=True):
    """Images and labels alone."""

    def _info(self):
        features = {
            "image": tfds.features.Image(shape=(3, 2, 1)),
            "label": tfds.features.ClassLabel(num_classes=2),
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for i in range(4):
            yield i, {"image": np.full((3, 2, 1), i, np.uint8), "label": 0}


class TinyText(Builder, skip_registration=True):
    """Text alone."""

    def _info(self):
        features = tfds.features.FeaturesDict({"name": tfds.features.Text()})
        return tfds.core.DatasetInfo(builder=self, features=features)

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        yield 0, {"name": "a"}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tfds")
    for builder in (TinyMixed, TinyImages, TinyText):
        builder(data_dir=str(folder)).download_and_prepare()
    return folder


def test_numeric_features_become_columns(data_dir):
    result = tfds_table("tiny_mixed", data_dir, split="test")
    assert result.columns == [
        "age",
        *(f"image_{i}" for i in range(4)),
        "more_size_0",
        "more_size_1",
    ]
    values = result.values[np.argsort(result.values[:, 0])]
    i = np.arange(100, 105)
    expected = np.stack([i + 0.5, i, i, i, i, i, -i], axis=1)
    np.testing.assert_array_equal(values, expected)


def test_splits_and_order(data_dir):
    whole = tfds_table("tiny_mixed", data_dir)
    assert whole.values.shape == (30, 7)
    np.testing.assert_array_equal(tfds_table("tiny_mixed", data_dir).values, whole.values)
    part = tfds_table("tiny_mixed", data_dir, split="train[:50%]")
    np.testing.assert_array_equal(part.values, whole.values[:15])
    assert prepare(whole).train.shape == (25, 7)


def test_images_keep_their_dtype(data_dir):
    result = tfds_table("tiny_images", data_dir)
    assert result.values.dtype == np.uint8 and result.values.shape == (4, 6)


def test_errors(data_dir):
    command = f"tfds build mnist --data_dir={data_dir}"
    with pytest.raises(
        ValueError, match=f"data_dir: expected a folder with the prepared .*{command}"
    ):
        tfds_table("mnist", data_dir)
    with pytest.raises(ValueError, match="split: expected one of .*test.*, got 'valid'"):
        tfds_table("tiny_mixed", data_dir, split="valid")
    with pytest.raises(ValueError, match="numeric features, got 'tiny_text'"):
        tfds_table("tiny_text", data_dir)

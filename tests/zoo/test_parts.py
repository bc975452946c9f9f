"""Training, validation and test parts: no row in two of them, each row in one, classes beside rows.

Every row says which one it is. The grey of an image is its number, whose remainder by 3 is its
class; the first column of a table is its number and a fraction. So a test reads from the data
which rows are there, and which class belongs to them.
"""

import itertools

import numpy as np
import PIL.Image
import pytest
import tensorflow_datasets as tfds

import zoo
from tfflows.data import toy
from tfflows.models.flows.family import MAX_SEED
from zoo import modalities
from zoo.modalities.vectors import toys

CLASSES = 3
# Of TFDS: examples of the official parts.
TRAIN, TEST = 60, 20


class Numbered(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """Two official parts of numbered examples; those of the test part count on."""

    VERSION = tfds.core.Version("1.0.0")
    url_infos = {}  # TFDS would look for a checksums file beside the code

    def _info(self):
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(self.kinds))

    def _split_generators(self, dl_manager):
        parts = {"train": range(TRAIN), "test": range(TRAIN, TRAIN + TEST)}
        return {name: self._generate_examples(numbers) for name, numbers in parts.items()}

    def _generate_examples(self, numbers):
        for i in numbers:
            yield i, self.example(i)


class NumberedImages(Numbered, skip_registration=True):
    kinds = {
        "image": tfds.features.Image(shape=(4, 4, 1)),
        "label": tfds.features.ClassLabel(num_classes=CLASSES),
    }

    def example(self, i):
        return {"image": np.full((4, 4, 1), i, np.uint8), "label": i % CLASSES}


class NumberedRows(Numbered, skip_registration=True):
    kinds = {"a_number": tfds.features.Scalar(np.float32), "b": tfds.features.Scalar(np.float32)}

    def example(self, i):
        return {"a_number": number_of(i), "b": np.sin(i)}


def number_of(i):
    """The number `i` as a measurement: whole numbers that are all distinct may be left out."""
    return i + 0.45 + 0.4 * np.sin(i)


def images(n):
    """Images `[n, 4, 4, 1]` whose grey is their number, and their classes."""
    return np.tile(np.arange(n, dtype=np.uint8)[:, None, None, None], (1, 4, 4, 1)), (
        np.arange(n) % CLASSES
    )


def archive(folder):
    x, y = images(TRAIN + TEST)
    np.savez(folder / "images.npz", x=x, y=y)
    return {"source": "images", "path": str(folder / "images.npz")}


def archive_to_fit(folder):
    """Images that are cut to size."""
    return archive(folder) | {"height": 2, "width": 2}


def pictures(folder, broken=False):
    x, y = images(TRAIN + TEST)
    for i, (image, label) in enumerate(zip(x, y, strict=True)):
        place = folder / "pictures" / f"class_{label}"
        place.mkdir(parents=True, exist_ok=True)
        # Names in another order than numbers.
        PIL.Image.fromarray(image[..., 0]).save(place / f"{(i * 37) % 101:03d}.png")
    if broken:
        for label in range(CLASSES):
            (folder / "pictures" / f"class_{label}" / "000_.png").write_text("no image")
    return {"source": "images", "path": str(folder / "pictures")}


def pictures_with_broken_ones(folder):
    """Files that are skipped must not move the classes of the others."""
    return pictures(folder, broken=True)


def imagenet(folder):
    """Batches of downsampled ImageNet, whose classes count from 1."""
    x, y = images(TRAIN + TEST)
    rows = np.repeat(x.reshape(-1, 16), 3, axis=1)
    (folder / "batches").mkdir()
    for number, part in enumerate(np.array_split(np.arange(len(rows)), 3), 1):
        file = folder / "batches" / f"train_data_batch_{number}.npz"
        np.savez(file, data=rows[part], labels=y[part] + 1)
    return {"source": "images", "path": str(folder / "batches")}


def tfds_set(folder):
    NumberedImages(data_dir=str(folder)).download_and_prepare()
    return {"source": "tfds", "name": "numbered_images", "data_dir": str(folder)}


def load(values, classes=CLASSES):
    config = zoo.config("glow_images")
    config.model.args.classes = classes
    config.train.batch_size = 7
    config.data.update(values)
    return config, modalities.load(config)


def numbers(x):
    """The numbers of images or rows, from the data themselves."""
    x = np.asarray(x)
    return x.reshape(len(x), -1)[:, 0].astype(int)


def check_apart(data, n):
    """No row in two parts, and all rows in one."""
    parts = [numbers(part) for part in (data.train, data.validation, data.test())]
    assert all(len(part) for part in parts)
    for one, other in itertools.combinations(parts, 2):
        assert not set(one) & set(other)
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(n))
    return parts


def check_beside(x, context):
    """Contexts are the classes of the images that they stand beside."""
    context = np.asarray(context)
    assert context.shape == (len(x), CLASSES) and (context.sum(1) == 1).all()
    np.testing.assert_array_equal(context.argmax(1), numbers(x) % CLASSES)


@pytest.mark.parametrize(
    "source",
    [archive, archive_to_fit, pictures, pictures_with_broken_ones, imagenet, tfds_set],
)
def test_images_are_in_one_part_each_and_beside_their_classes(source, tmp_path):
    config, data = load(source(tmp_path))
    parts = check_apart(data, TRAIN + TEST)
    if source is tfds_set:
        assert set(parts[2]) == set(range(TRAIN, TRAIN + TEST))
    check_beside(data.train, data.train_context)
    check_beside(data.validation, data.validation_context)
    check_beside(data.test(), data.test_context())
    # What training and validation are given.
    for batch in data.training(config)(3).take(12):
        check_beside(*batch)
        assert set(numbers(batch[0])) <= set(parts[0])
    seen = []
    for batch in data.validating():
        check_beside(*batch)
        seen.extend(numbers(batch[0]))
    np.testing.assert_array_equal(seen, parts[1])


def test_rows_of_a_tfds_table_are_in_one_part_each(tmp_path):
    NumberedRows(data_dir=str(tmp_path)).download_and_prepare()
    config = zoo.config("nsf_table")
    config.data.update({"source": "tfds", "name": "numbered_rows", "data_dir": str(tmp_path)})
    data = modalities.load(config)
    parts = check_apart(data, TRAIN + TEST)
    assert [len(part) for part in parts] == [54, 6, 20]
    assert set(parts[2]) == set(range(TRAIN, TRAIN + TEST))
    check_statistics(data)


@pytest.mark.parametrize("n", [11, 97, 200])
def test_rows_of_a_users_table_are_in_one_part_each(tmp_path, n):
    rng = np.random.default_rng(0)
    rows = np.stack([number_of(np.arange(n)), 5.0 + rng.normal(size=n)], axis=1)
    np.save(tmp_path / "rows.npy", rows)
    config = zoo.config("nsf_table")
    config.data.path = str(tmp_path / "rows.npy")
    data = modalities.load(config)
    parts = check_apart(data, n)
    for part, number in zip((data.train, data.validation, data.test()), parts, strict=True):
        np.testing.assert_allclose(part[:, 1], rows[number, 1], rtol=1e-6)
    check_statistics(data)


def check_statistics(data):
    """Mean and deviation are those of the training rows, and of no others."""
    train = data.train.astype(np.float64)
    np.testing.assert_allclose(data.mean, train.mean(0), rtol=1e-5)
    np.testing.assert_allclose(data.std, train.std(0), rtol=1e-5)
    others = np.concatenate([train, data.validation, data.test()]).std(0)
    assert (np.abs(data.std / others - 1.0) > 1e-4).any()


def test_order_of_training_rows_is_a_function_of_the_configs_seed_and_the_step(tmp_path):
    config, data = load(archive(tmp_path))

    def batches(seed, start):
        config.train.seed = seed
        return [numbers(x).tolist() for x, _ in data.training(config)(start).take(3)]

    assert batches(0, 0) == batches(0, 0)
    assert batches(0, 0)[2] == batches(0, 2)[0]
    assert batches(0, 0) != batches(1, 0)
    assert {len(batch) for batch in batches(1, 5)} == {config.train.batch_size}


@pytest.mark.parametrize("name", toy.names())
def test_draws_of_a_toy_are_other_draws_in_each_part(name):
    config = zoo.config("affine_moons")
    config.data.name, config.data.size = name, 10_000

    def parts(seed):
        config.train.seed = seed
        data = modalities.load(config)
        return {
            "train": data.train,
            "validation": data.validation,
            "test": data.test()[: toys._VALIDATION_ROWS],
        }

    # Those of the next seed too: its validation rows must not be this one's test rows.
    drawn = {f"{part} {seed}": rows for seed in (0, 1) for part, rows in parts(seed).items()}
    for (a, one), (b, other) in itertools.combinations(drawn.items(), 2):
        same = np.isin(_keys(one), _keys(other)).mean()
        # A thousandth of the numbers of one dimension meet on the grid of float32.
        assert same < 0.01, f"{a} and {b} share {same:.1%} of their rows"


@pytest.mark.parametrize("size", [toys._VALIDATION_ROWS, toys._TEST_ROWS])
def test_seeds_of_a_toys_parts_are_apart_whatever_the_seed_of_training(size, monkeypatch):
    """Draws are a function of (rows, seed): parts of one size and one seed would be the same."""
    used = []
    monkeypatch.setattr(toy.Toy, "sample", lambda self, n, seed: used.append(seed) or np.zeros(n))
    config = zoo.config("affine_moons")
    config.data.size = size
    for seed in (0, 1, 2, MAX_SEED):
        config.train.seed = seed
        modalities.load(config).test()
    assert len(used) == len(set(used)) == 12


def _keys(rows):
    return np.ascontiguousarray(rows).view(f"V{rows.dtype.itemsize * rows.shape[1]}").ravel()


def test_draws_of_a_target_are_other_numbers_in_each_part():
    config = zoo.config("iaf_target")
    data = modalities.load(config)
    first = next(iter(data.training(config)(0))).numpy()
    last = next(iter(data.training(config)(config.train.steps - 1))).numpy()
    np.testing.assert_array_equal(first, np.arange(config.train.batch_size))
    assert last.max() == config.train.steps * config.train.batch_size - 1
    assert last.max() < data.validation.min()
    assert data.validation.max() < data.test().min()
    for part in (data.validation, data.test()):
        assert len(set(part)) == len(part)

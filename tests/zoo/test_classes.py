"""Classes of images go by their names, whatever folder a trained model is tested on."""

import numpy as np
import PIL.Image
import pytest

import zoo
from tests.zoo import binaries
from tests.zoo.binaries import TINY_GLOW, error_of
from tfflows.data import class_context, images, read_images
from zoo import registry
from zoo.evaluate import evaluate

NAMES = ["ant", "cat", "dog"]


def folder_of(path, names, n=30):
    """A folder of classes, each of images of a brightness of its own."""
    rng = np.random.default_rng(0)
    for name in names:
        (path / name).mkdir(parents=True)
        for i in range(n):
            level = 40 + 70 * (NAMES.index(name) if name in NAMES else 1)
            pixels = rng.integers(level, level + 20, (8, 8), np.uint8)
            PIL.Image.fromarray(pixels).save(path / name / f"{i:02}.png")
    return path


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    folder = tmp_path_factory.mktemp("classes")
    path = folder_of(folder / "all", NAMES)
    flags = ("--config.model.args.classes=3", f"--config.data.path={path}")
    code, _, errors = binaries.run("zoo.train", *TINY_GLOW, *flags, f"--workdir={folder / 'work'}")
    assert code == 0, errors
    return folder / "work"


def contexts(data, part):
    """Class numbers of a part of the data, and the brightness of each image."""
    x = data.test() if part == "test" else getattr(data, part)
    context = data.test_context() if part == "test" else getattr(data, f"{part}_context")
    return context.argmax(1), (x.mean((1, 2, 3)) - 40) // 70


def test_every_part_has_the_classes_of_its_images(work):
    data = registry.data_of(work)
    assert registry.card(work)["data"]["class_names"] == NAMES
    for part in ("train", "validation", "test"):
        labels, brightness = contexts(data, part)
        np.testing.assert_array_equal(labels, brightness)
        assert set(labels) <= {0, 1, 2} and len(set(labels)) > 1


@pytest.mark.parametrize("names", [["cat", "dog"], ["ant", "dog"], ["dog"]], ids=str)
def test_a_folder_that_lacks_classes(work, tmp_path, names):
    path = folder_of(tmp_path / "some", names)
    data = registry.data_of(work, str(path))
    labels, brightness = contexts(data, "test")
    np.testing.assert_array_equal(labels, brightness)
    assert set(labels) == {NAMES.index(name) for name in names}
    if names != ["dog"]:
        return
    # What the model says of these images as dogs, which they are.
    x = data.test()
    log_prob = zoo.load(work).log_prob(x, class_context(np.full(len(x), 2), 3))
    bits = -np.mean(log_prob) / (64 * np.log(2))
    assert evaluate(work, str(path))["bits_per_dim"] == pytest.approx(bits, rel=1e-5)


def test_classes_that_the_model_does_not_know(work, tmp_path):
    path = folder_of(tmp_path / "more", ["ant", "bee", "dog", "eel"], n=5)
    error = error_of(f"--model={work}", f"--data_path={path}", module="zoo.evaluate")
    assert "labels: expected only the classes 'ant', 'cat', 'dog', got also 'bee', 'eel'" in error
    with pytest.raises(ValueError, match="expected only the classes .* got also 'bee'"):
        evaluate(work, str(folder_of(tmp_path / "one", ["bee"], n=12)))
    with pytest.raises(
        ValueError, match="images of the classes ant, cat, dog, with a folder for each, got"
    ):
        evaluate(work, str(folder_of(tmp_path / "loose", ["cat"], n=12) / "cat"))


def test_one_folder_is_a_class_where_classes_are_known(tmp_path):
    path = folder_of(tmp_path / "one", ["cat"], n=2)
    assert read_images(path).labels is None
    result = read_images(path, classes=NAMES)
    np.testing.assert_array_equal(images.numbered(result, NAMES), [1, 1])


def test_labels_of_arrays_go_by_number(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros([3, 4, 4], np.uint8), y=[2, 0, 2])
    result = read_images(tmp_path / "a.npz")
    np.testing.assert_array_equal(images.numbered(result, ["0", "1", "2"]), [2, 0, 2])
    with pytest.raises(ValueError, match="expected only the classes '0', '1', got also '2'"):
        images.numbered(result, ["0", "1"])

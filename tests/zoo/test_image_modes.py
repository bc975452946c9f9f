import re

import numpy as np
import pytest
from matplotlib import image as picture_files

import zoo
from tests.zoo import binaries
from tfflows import batches, sampling
from zoo import registry
from zoo.modalities.images import modes

SHAPE = (8, 8, 1)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Images with a bright square in the quarter that their class says."""
    generator = np.random.default_rng(0)
    x = generator.integers(0, 60, [80, *SHAPE])
    y = np.arange(80) % 3
    for image, label in zip(x, y, strict=True):
        top, left = 4 * (label // 2), 4 * (label % 2)
        image[top : top + 4, left : left + 4] += 150
    path = tmp_path_factory.mktemp("data") / "images.npz"
    np.savez(path, x=x.astype(np.uint8), y=y)
    return path


def train(folder, data, classes):
    """A model that is given no path of its data when it is evaluated."""
    code, _, errors = binaries.run(
        *("zoo.train", "--config=glow_mnist", f"--workdir={folder}", "--config.name=tiny"),
        *("--config.data.source=images", f"--config.data.path={data}"),
        *("--config.data.height=8", "--config.data.width=8"),
        *("--config.model.args.levels=1", "--config.model.args.steps=1"),
        *("--config.model.args.width=8", f"--config.model.args.classes={classes}"),
        *("--config.train.steps=8", "--config.train.eval_every=8", "--config.train.batch_size=8"),
        "--config.train.warmup=0",
    )
    assert code == 0, errors
    return folder


@pytest.fixture(scope="module")
def plain(tmp_path_factory, data):
    return train(tmp_path_factory.mktemp("plain"), data, 0)


@pytest.fixture(scope="module")
def conditional(tmp_path_factory, data):
    return train(tmp_path_factory.mktemp("conditional"), data, 3)


def run(folder, output, *arguments):
    """The images that a mode writes, and what it prints."""
    code, text, errors = binaries.run(
        "zoo.sample", f"--model={folder}", f"--output={output}", *arguments
    )
    assert code == 0, errors
    assert str(output) in text
    return np.load(output), text


def real(folder, *indices):
    return modes.real_images(registry.data_of(folder), indices)


def test_samples(plain, tmp_path):
    images, _ = run(plain, tmp_path / "a.npy", "--n=5", "--seed=3", "--start=2")
    assert images.shape == (5, *SHAPE) and images.dtype == np.uint8
    flow = zoo.load(plain)
    np.testing.assert_array_equal(images, flow.sample(5, seed=3, start=2))
    cold, _ = run(plain, tmp_path / "a.npy", "--mode=samples", "--temperature=0")
    assert len(cold) == 64
    np.testing.assert_array_equal(cold, np.repeat(cold[:1], 64, axis=0))


def test_samples_of_classes(conditional, tmp_path):
    flow, eye = zoo.load(conditional), np.eye(3, dtype=np.float32)
    images, _ = run(conditional, tmp_path / "a.npy", "--n=4", "--start=1")
    np.testing.assert_array_equal(images, flow.sample(4, 0, 1, context=eye[[1, 2, 0, 1]]))
    images, _ = run(conditional, tmp_path / "a.npy", "--n=2", "--class=2")
    np.testing.assert_array_equal(images, flow.sample(2, 0, context=eye[[2, 2]]))


def test_batches_do_not_matter(conditional, monkeypatch):
    flow = zoo.load(conditional)
    whole = modes.samples(flow, 7, seed=1, start=3).images
    monkeypatch.setattr(batches, "_MOST", 4)
    np.testing.assert_array_equal(modes.samples(flow, 7, seed=1, start=3).images, whole)


def test_classes(conditional, tmp_path):
    flow, eye = zoo.load(conditional), np.eye(3, dtype=np.float32)
    images, _ = run(conditional, tmp_path / "a.npy", "--mode=classes", "--n=2", "--seed=4")
    for label, row in enumerate(images.reshape(3, 2, *SHAPE)):
        np.testing.assert_array_equal(row, flow.sample(2, 4, context=eye[[label] * 2]))


def test_interpolate(plain, tmp_path):
    arguments = ("--mode=interpolate", "--images=3,7,1,0", "--steps=5")
    images, _ = run(plain, tmp_path / "a.npy", *arguments)
    rows = images.reshape(2, 5, *SHAPE)
    x, _ = real(plain, 3, 7, 1, 0)
    np.testing.assert_array_equal(rows[:, 0], x[[0, 2]])
    np.testing.assert_array_equal(rows[:, -1], x[[1, 3]])
    flow = zoo.load(plain)
    z = flow.encode(x[:2]).numpy()
    np.testing.assert_array_equal(rows[0, 2], flow.decode(z.mean(0, keepdims=True))[0])


def test_interpolate_between_classes(conditional, tmp_path):
    _, context = real(conditional, *range(8))
    other = int(np.argmax(np.any(context != context[0], axis=1)))  # an image of another class
    images, _ = run(conditional, tmp_path / "a.npy", "--mode=interpolate", f"--images=0,{other}")
    x, context = real(conditional, 0, other)
    np.testing.assert_array_equal(images[[0, -1]], x)
    flow = zoo.load(conditional)
    z, half = flow.encode(x, context).numpy(), context.mean(0, keepdims=True)
    np.testing.assert_array_equal(images[4], flow.decode(z.mean(0, keepdims=True), half)[0])


@pytest.mark.parametrize("which", ["plain", "conditional"])
def test_manifold(which, tmp_path, request):
    folder = request.getfixturevalue(which)
    arguments = ("--mode=manifold", "--images=0,1,2,3", "--steps=4")
    images, _ = run(folder, tmp_path / "a.npy", *arguments)
    grid = images.reshape(4, 4, *SHAPE)
    x, context = real(folder, 0, 1, 2, 3)
    for image, place in zip(x, [(0, 0), (0, 1), (1, 0), (1, 1)], strict=True):
        np.testing.assert_array_equal(grid[place], image)
    flow = zoo.load(folder)
    # One more by another way: at a = b = 45 degrees all weights are one half.
    quarters = None if context is None else context.mean(0, keepdims=True)
    middle = flow.decode(flow.encode(x, context).numpy().sum(0, keepdims=True) / 2, quarters)
    fine = modes.manifold(flow, x, context, steps=8).images.reshape(8, 8, *SHAPE)
    assert np.max(np.abs(fine[1, 1] - np.asarray(middle[0], int))) <= 1


def test_reconstruct(plain, tmp_path):
    images, text = run(plain, tmp_path / "a.npy", "--mode=reconstruct", "--images=5,2,4")
    np.testing.assert_array_equal(images[:3], real(plain, 5, 2, 4)[0])
    np.testing.assert_array_equal(images[3:], images[:3])
    assert "0 of 192 numbers differ" in text


def test_reconstruct_counts(plain, monkeypatch):
    flow = zoo.load(plain)
    x, _ = real(plain, 0, 1)
    wrong = x.copy()
    wrong[0, 2, 3] += 1
    monkeypatch.setattr(flow, "encode", lambda x, context: None)
    monkeypatch.setattr(
        flow, "decode", lambda z, context: type("", (), {"numpy": lambda s: wrong})()
    )
    assert modes.reconstruct(flow, x).note == "1 of 128 numbers differ"


@pytest.mark.parametrize("method", ["ascent", "langevin"])
def test_inpaint(conditional, tmp_path, method):
    arguments = ("--mode=inpaint", "--images=4,6", "--n=2", "--steps=20", "--mask=left")
    images, text = run(conditional, tmp_path / "a.npy", *arguments, f"--method={method}")
    rows = images.reshape(4, 2, *SHAPE)
    x, _ = real(conditional, 4, 6)
    np.testing.assert_array_equal(rows[0], x)
    assert np.all(rows[1, :, :, :4] == 128)
    for row in rows[1:]:
        np.testing.assert_array_equal(row[:, :, 4:], x[:, :, 4:])
    assert np.any(rows[2] != rows[3]) and np.any(rows[2] != rows[0])
    lines = text.splitlines()
    assert [line.split(":")[0] for line in lines[:2]] == ["image 4", "image 6"]
    before, after = (float(number) for number in re.findall(r"-?\d+\.\d", lines[0])[:2])
    assert ("acceptance" in text) == (method == "langevin")
    if method == "ascent":
        assert after > before


def test_ascent_climbs_where_the_background_is_sharp():
    """NICE's pixels of a black ground are certain to a part in a thousand of their range."""
    flow = zoo.load("nice_mnist")
    x = flow.sample(3, 1, start=10).numpy()
    hidden = modes.hidden_pixels("bottom", x.shape[1:])
    result = sampling.inpaint(flow, x, hidden, steps=60)
    assert np.all(result.log_prob > result.start_log_prob + 100)


def test_fewer_test_images_than_a_mode_takes(plain, tmp_path):
    images, _ = run(plain, tmp_path / "a.npy", "--mode=reconstruct")
    assert len(images) == 2 * 8
    x, context = modes.real_images(registry.data_of(plain), 5)
    assert len(x) == 5 and context is None
    x, _ = modes.real_images(registry.data_of(plain), 7)
    np.testing.assert_array_equal(x, modes.real_images(registry.data_of(plain), range(7))[0])


def test_masks():
    for kind in modes.MASKS:
        mask = modes.hidden_pixels(kind, (6, 8, 3), seed=1)
        assert mask.shape == (6, 8, 3) and mask.dtype == bool
        assert np.all(mask == mask[..., :1])
        expected = {"center": 12, "random": 38}.get(kind, 24)
        assert mask[..., 0].sum() == expected
    assert modes.hidden_pixels("bottom", (4, 4, 1))[2:].all()
    centre = modes.hidden_pixels("center", (5, 4, 1))[..., 0]
    np.testing.assert_array_equal(centre, np.outer([0, 1, 1, 1, 0], [0, 1, 1, 0]))
    one, two = (modes.hidden_pixels("random", (6, 8, 1), seed) for seed in (1, 2))
    assert np.any(one != two)
    with pytest.raises(ValueError, match="mask: expected one of top, .*, got 'nose'"):
        modes.hidden_pixels("nose", (6, 8, 1))


@pytest.mark.parametrize(
    "arguments",
    [(), ("--mode=classes", "--n=3"), ("--mode=inpaint", "--steps=10", "--images=0")],
)
def test_pictures(conditional, tmp_path, arguments):
    path = tmp_path / "a.png"
    code, _, errors = binaries.run(
        "zoo.sample", f"--model={conditional}", f"--output={path}", *arguments
    )
    assert code == 0, errors
    assert np.std(picture_files.imread(path)[..., :3]) > 0.05
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_a_keras_file_draws(conditional, tmp_path):
    path = tmp_path / "model.keras"
    zoo.load(conditional).save(path)
    images, _ = run(path, tmp_path / "a.npy", "--mode=classes", "--n=1")
    assert images.shape == (3, *SHAPE)
    output = f"--output={tmp_path / 'b.png'}"
    arguments = ("zoo.sample", f"--model={path}", output, "--mode=reconstruct")
    code, _, errors = binaries.run(*arguments)
    assert code == 2 and "does not say what its data are" in errors.splitlines()[-1]


def test_pictures_of_a_training(conditional):
    names = sorted(path.name for path in (conditional / "pictures").iterdir())
    assert {"interpolations.png", "reconstructions.png", "samples.png", "training.png"} < set(names)
    assert any("0000008" in name for name in names)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--mode=classes"], "mode: classes needs a class-conditional model, got tiny"),
        (["--class=1"], "class: tiny is not class-conditional"),
        (["--n=0"], "n: expected at least 1, got 0"),
        (["--mode=interpolate", "--images=1,2,3"], "images: interpolate needs pairs"),
        (["--mode=interpolate", "--images=1,8"], "images: expected indices from 0 to 7, got 8"),
        (["--mode=interpolate", "--images=1,x"], "images: expected indices such as 3,7, got 'x'"),
        (["--mode=interpolate", "--steps=1"], "steps: expected a whole number from 2"),
        (["--mode=manifold", "--images=1,2"], "images: manifold needs four images, got 2"),
        (["--mode=reconstruct", "--images=0", "--data_path=no.npz"], "no.npz"),
        (["--mode=reconstruct", "--images="], "images: expected indices such as 3,7, got ''"),
        (["--mode=reconstruct", "--n=3"], "n: mode reconstruct does not use this flag"),
        (
            ["--mode=inpaint", "--temperature=0.5"],
            "temperature: mode inpaint does not use this flag",
        ),
        (["--mode=inpaint", "--images=0", "--steps=2"], "steps: expected a whole number from 10"),
        (["--mode=paint"], "mode"),
        (["--mask=nose"], "mask"),
        (
            ["--output=a.csv"],
            "output: expected a file ending in .png or .npy for images, got 'a.csv'",
        ),
        (["--output=nowhere/a.png"], "output: the folder 'nowhere' does not exist"),
    ],
)
def test_bad_flags(plain, tmp_path, arguments, message):
    flags = [f"--model={plain}", f"--output={tmp_path / 'a.png'}", *arguments]
    code, _, errors = binaries.run("zoo.sample", *flags)
    assert code == 2 and errors.splitlines()[-1].startswith("error: ")
    assert message in errors.splitlines()[-1]
    assert not list(tmp_path.iterdir())


def test_bad_classes_and_temperatures(conditional, tmp_path):
    flags = (f"--model={conditional}", f"--output={tmp_path / 'a.png'}")
    code, _, errors = binaries.run("zoo.sample", *flags, "--class=3")
    assert code == 2 and errors.splitlines()[-1] == "error: class: expected 0 to 2, got 3"
    values = registry.trained_config(conditional)
    flow = registry.from_config(values, SHAPE, base="uniform")
    flow.load_weights(conditional / registry.WEIGHTS)
    with pytest.raises(
        ValueError, match="temperature: expected 1, as .* has no normal or logistic base to scale"
    ):
        modes.samples(flow, 2, temperature=0.5)


def test_modes_are_for_images(tmp_path):
    flags = ("--model=affine_moons", f"--output={tmp_path / 'a.png'}")
    code, _, errors = binaries.run("zoo.sample", *flags, "--mode=inpaint")
    assert code == 2 and "mode: inpaint is for models of images" in errors.splitlines()[-1]
    code, _, errors = binaries.run("zoo.sample", *flags, "--class=1")
    assert (
        code == 2
        and "class: mode samples does not use this flag for a model of" in errors.splitlines()[-1]
    )

"""`python -m zoo.compress` and `zoo.decompress` on a user's folder and array."""

import io

import numpy as np
import PIL.Image
import pytest

from tests.zoo import binaries
from tests.zoo.binaries import error_of
from tfflows import codec
from tfflows.codec import container
from tfflows.data import pixels
from zoo import compress, decompress, registry


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    """A small model, trained for some steps on smooth images, and such images."""
    folder = tmp_path_factory.mktemp("idf")
    rng = np.random.default_rng(0)
    images = rng.integers(0, 60, (80, 1, 1, 1)) + 5 * np.arange(8)[:, None, None]
    images = images + rng.integers(0, 3, (80, 8, 8, 1))
    np.save(folder / "x.npy", images.astype("uint8"))
    code, _, errors = binaries.run(
        "zoo.train",
        "--config=idf_images",
        f"--config.data.path={folder / 'x.npy'}",
        f"--workdir={folder / 'run'}",
        *("--config.model.args.steps=1", "--config.model.args.width=8"),
        *("--config.model.args.blocks=1", "--config.train.warmup=0", "--config.train.ema=0"),
        *("--config.train.steps=60", "--config.train.eval_every=60"),
        "--config.train.learning_rate=0.02",
    )
    assert code == 0, errors
    return folder


def test_an_array_comes_back(workdir, tmp_path):
    file, back = tmp_path / "x.tfz", tmp_path / "back.npy"
    arguments = (f"--input={workdir / 'x.npy'}", f"--output={file}")
    code, out, errors = binaries.run("zoo.compress", f"--model={workdir / 'run'}", *arguments)
    assert code == 0, errors
    assert "80 images: 5,120 bytes to" in out and str(file) in out
    contents = container.read(file.read_bytes())
    assert len(contents.escaped) < 80, "the model codes none"
    code, out, errors = binaries.run(
        "zoo.decompress", f"--model={workdir / 'run'}", f"--input={file}", f"--output={back}"
    )
    assert code == 0, errors
    assert out.startswith("80 images")
    np.testing.assert_array_equal(np.load(back), np.load(workdir / "x.npy"))
    error = error_of(f"--input={file}", f"--output={tmp_path / 'b.npy'}", module="zoo.decompress")
    assert "no model of the zoo has the fingerprint" in error and "--model" in error


def save(image, path, **kwargs):
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.fromarray(image).save(path, **kwargs)


def test_a_folder_comes_back(workdir, tmp_path):
    """What is no plain picture, or smaller already, comes back as the file that it was."""
    x, folder = np.load(workdir / "x.npy"), tmp_path / "in"
    for i in range(4):
        save(x[i, ..., 0], folder / "grey" / f"{i}.png", compress_level=0)
    rng = np.random.default_rng(0)
    save(x[4, ..., 0], folder / "five.bmp")
    save(rng.integers(0, 256, (20, 30, 3)).astype("uint8"), folder / "photo.jpg")
    save(rng.integers(0, 256, (8, 8, 4)).astype("uint8"), folder / "clear.png")
    deep = PIL.Image.fromarray(rng.integers(0, 2**16, (8, 8)).astype(np.uint16))
    deep.save(folder / "deep.png")
    (folder / "broken.png").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("left out")
    file, back = tmp_path / "x.tfz", tmp_path / "back"
    code, out, errors = binaries.run(
        "zoo.compress", f"--model={workdir / 'run'}", f"--input={folder}", f"--output={file}"
    )
    assert code == 0, errors
    assert "left out (hidden, or no images): 1 file, such as notes.txt" in out
    code, out, errors = binaries.run(
        "zoo.decompress", f"--model={workdir / 'run'}", f"--input={file}", f"--output={back}"
    )
    assert code == 0, errors
    found = {p.relative_to(back).as_posix() for p in back.rglob("*") if p.is_file()}
    files = {"photo.jpg", "clear.png", "deep.png", "broken.png"}
    assert found == {*(f"grey/{i}.png" for i in range(4)), "five.bmp.png", *files}
    for name in files:
        assert (back / name).read_bytes() == (folder / name).read_bytes()
    for i in range(4):
        with PIL.Image.open(back / "grey" / f"{i}.png") as picture:
            np.testing.assert_array_equal(np.asarray(picture), x[i, ..., 0])
    with PIL.Image.open(back / "five.bmp.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), x[4, ..., 0])
    for output, message in (
        (back, "output: expected a new or empty folder"),
        (tmp_path / "y.npy", "output: expected a folder, as the images are of several shapes"),
    ):
        arguments = (f"--model={workdir / 'run'}", f"--input={file}", f"--output={output}")
        assert message in error_of(*arguments, module="zoo.decompress")
    assert not (tmp_path / "y.npy").exists()


def test_bad_input(workdir, tmp_path):
    (tmp_path / "empty").mkdir()
    np.save(tmp_path / "float.npy", np.zeros((3, 8, 8, 1)))
    (tmp_path / "bad.npy").write_bytes(b"no array")
    output = f"--output={tmp_path / 'x.tfz'}"
    for path, message in (
        (tmp_path / "nowhere", "input: expected a folder or a .npy file"),
        (tmp_path / "empty", "input: no images in"),
        (tmp_path / "float.npy", "input: expected uint8 [n, height, width, channels]"),
        (tmp_path / "bad.npy", "input: "),
    ):
        arguments = (f"--model={workdir / 'run'}", f"--input={path}", output)
        assert message in error_of(*arguments, module="zoo.compress")
    given = f"--input={workdir / 'x.npy'}"
    error = error_of("--model=nsf_moons", given, output, module="zoo.compress")
    assert "model: expected an ImageIntegerDiscreteFlow" in error
    wrong = f"--output={tmp_path / 'x.png'}"
    error = error_of(f"--model={workdir / 'run'}", given, wrong, module="zoo.compress")
    assert "output: expected a .tfz file" in error
    assert not (tmp_path / "x.tfz").exists()
    (tmp_path / "a.tfz").write_bytes(b"something else")
    arguments = (f"--input={tmp_path / 'a.tfz'}", f"--output={tmp_path / 'out'}")
    assert "file: expected a .tfz file" in error_of(*arguments, module="zoo.decompress")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["../x.png", "/x.png", "a/../../x.png", "", "a\0.png"])
def test_names_that_lead_out_of_the_folder_are_refused(name):
    with pytest.raises(ValueError, match="input: a name that leads out of the folder"):
        decompress._names(("a.png", name), [b"", b""])


def test_names_that_get_in_each_others_way(workdir, tmp_path):
    """x.bmp would come back as x.bmp.png, which there is, so it comes back as it is."""
    x, folder = np.load(workdir / "x.npy"), tmp_path / "in"
    save(x[0, ..., 0], folder / "x.bmp")
    save(x[1, ..., 0], folder / "x.bmp.png", compress_level=0)
    save(x[2, ..., 0], folder / "y.bmp")
    save(x[3, ..., 0], folder / "y.bmp.png" / "z.png", compress_level=0)
    save(x[4, ..., 0], folder / f"{'a' * 251}.bmp")
    (folder / "dangling.png").symlink_to("nowhere")
    file, back = tmp_path / "x.tfz", tmp_path / "back"
    model = f"--model={workdir / 'run'}"
    code, out, errors = binaries.run("zoo.compress", model, f"--input={folder}", f"--output={file}")
    assert code == 0, errors
    assert "such as dangling.png" in out
    back.mkdir()
    code, _, errors = binaries.run("zoo.decompress", model, f"--input={file}", f"--output={back}")
    assert code == 0, errors
    found = sorted(p.relative_to(back).as_posix() for p in back.rglob("*") if p.is_file())
    assert found == sorted(["x.bmp", "x.bmp.png", "y.bmp", "y.bmp.png/z.png", f"{'a' * 251}.bmp"])


@pytest.mark.parametrize("names", [("a.png", "a.png"), ("a.png", "a.png/b.png")])
def test_names_that_cannot_be_in_one_folder_are_refused(names):
    with pytest.raises(ValueError, match="input: expected names that can be in one folder"):
        decompress._names(names, [b"", b""])


def test_no_images_are_an_empty_folder(workdir, tmp_path):
    coder = codec.Codec(registry.load(workdir / "run"))
    (tmp_path / "none.tfz").write_bytes(coder.compress([]))
    assert decompress.decompress(tmp_path / "none.tfz", tmp_path / "out", workdir / "run") == 0
    assert list((tmp_path / "out").iterdir()) == []
    with pytest.raises(ValueError, match="output: expected a folder, as there are no images"):
        decompress.decompress(tmp_path / "none.tfz", tmp_path / "x.npy", workdir / "run")


@pytest.mark.parametrize("content", [b"PK\x03\x04garbage", b"\x93NUMPY\x01\x00", b""])
def test_arrays_that_cannot_be_read(tmp_path, content):
    path = tmp_path / "x.npy"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="input: .* cannot be read: "):
        compress._array(path)


def test_several_arrays_are_refused(tmp_path):
    np.savez(tmp_path / "x.npz", x=np.zeros(3), y=np.zeros(3))
    (tmp_path / "x.npz").rename(tmp_path / "x.npy")
    with pytest.raises(ValueError, match="input: expected one array in .*, got several"):
        compress._array(tmp_path / "x.npy")


def _saved(mode, **kwargs):
    file = io.BytesIO()
    PIL.Image.new(mode, (3, 2)).save(file, kwargs.pop("format", "PNG"), **kwargs)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "shape"),
    [
        (_saved("L"), (2, 3, 1)),
        (_saved("RGB"), (2, 3, 3)),
        (_saved("RGB", format="BMP"), (2, 3, 3)),
        (_saved("L", bits=4), None),
        (_saved("1"), None),
        (_saved("P"), None),
        (_saved("RGBA"), None),
        (_saved("I;16"), None),
        (_saved("RGB", icc_profile=b"a profile"), None),
        (_saved("L", transparency=0), None),
        (b"no picture", None),
    ],
)
def test_only_plain_pictures_are_their_pixels(data, shape):
    found = pixels.decode_exactly(data)
    assert (found is None) if shape is None else found.shape == shape

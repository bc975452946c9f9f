"""The codec: what is compressed comes back, in another process too, and damage is noticed."""

import dataclasses
import io
import os
import struct
import subprocess
import sys
import zlib

import numpy as np
import PIL.Image
import pytest

from tests.codec.small_codec import coder, likely, model, unlikely
from tests.small_flows import shake
from tfflows import codec, models
from tfflows.codec import container


def test_what_is_compressed_comes_back():
    x = np.concatenate([likely(300), unlikely(20)])  # two chunks
    data = coder().compress(x)
    back, names = coder().decompress(data)
    assert back.dtype == np.uint8 and names == ()
    np.testing.assert_array_equal(back, x)


def test_the_size_is_that_of_the_models_probabilities():
    x = likely(2000)
    bits = -np.sum(np.float64(model().log_prob(x))) / np.log(2.0)
    assert 8 * len(coder().compress(x)) <= bits * 1.005 + 65 + 8 * 64  # a header of 64 bytes


def test_the_tables_are_those_of_the_models_probabilities():
    """Other tables would still code and decode, in more bits."""
    x = likely(500)
    bits = coder()._bits(coder()._latents(x))
    np.testing.assert_allclose(bits, -model().log_prob(x) / np.log(2.0), rtol=2e-3)


def test_images_that_do_not_fit_or_gain_nothing_are_stored():
    images = [
        likely(1)[0],
        np.zeros((8, 8, 1), np.uint8),
        unlikely(1)[0, :, :5],
        np.add.outer(3 * np.arange(40), 2 * np.arange(60)[:, np.newaxis] + [0, 9, 5]).astype(
            "uint8"
        ),
        np.zeros((3, 3, 2), np.uint8),
        np.full((20, 20, 4), 7, np.uint8),
    ]
    data = coder().compress(images, [f"a/{i}.png" for i in range(6)])
    contents = container.read(data)
    assert {n for n, (kind, _) in contents.escaped.items() if kind == container.PNG} >= {3}
    assert contents.escaped[4][0] == container.RAW
    back, names = coder().decompress(data)
    assert names == tuple(f"a/{i}.png" for i in range(6))
    for one, other in zip(back, images, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_file_that_is_smaller_is_stored_as_it_is():
    x, file = likely(2), b"a small file"
    data = coder().compress(list(x) + [None], files=[file, bytes(1000), b"no image"])
    back, _ = coder().decompress(data)
    assert back[0] == file and back[2] == b"no image"
    np.testing.assert_array_equal(back[1], x[1])


@pytest.mark.parametrize("shape", [(5, 8, 8), (5, 8, 8, 1), (5, 4, 4, 3), (0, 8, 8, 1), (0, 3, 3)])
def test_arrays_keep_their_shape(shape):
    x = np.random.default_rng(0).integers(0, 256, shape).astype("uint8")
    back, _ = coder().decompress(coder().compress(x))
    assert back.dtype == np.uint8 and (back.shape == shape or not len(x))
    np.testing.assert_array_equal(back.reshape(x.shape), x)


def test_the_batch_of_the_networks_does_not_matter():
    x = likely(70)
    data = coder().compress(x)
    other = codec.Codec(model(), batch_size=7)
    assert other.compress(x) == data
    np.testing.assert_array_equal(other.decompress(data)[0], x)


_ELSEWHERE = """
import hashlib, pathlib, sys
import tensorflow as tf
if sys.argv[2] == "xla":
    graph = tf.function
    tf.function = lambda *args, **kwargs: graph(*args, jit_compile=True, **kwargs)
from tests.codec.small_codec import coder
images, _ = coder(int(sys.argv[3])).decompress(pathlib.Path(sys.argv[1]).read_bytes())
print(hashlib.sha256(images.tobytes()).hexdigest())
"""


@pytest.mark.parametrize(
    ("one_dnn", "threads", "how", "batch_size"),
    [
        ("0", "2", "graph", 64),
        pytest.param("0", "1", "graph", 1, marks=pytest.mark.slow),
        pytest.param("0", "2", "xla", 64, marks=pytest.mark.slow),
        pytest.param("1", "2", "xla", 1, marks=pytest.mark.slow),
        pytest.param("1", "2", "graph", 64, marks=pytest.mark.slow),
    ],
)
def test_another_process_decodes_the_same_bytes(tmp_path, one_dnn, threads, how, batch_size):
    import hashlib

    x = likely(100)
    (tmp_path / "x.tfz").write_bytes(coder().compress(x))
    variables = {"TF_ENABLE_ONEDNN_OPTS": one_dnn, "TF_NUM_INTRAOP_THREADS": threads}
    done = subprocess.run(
        [sys.executable, "-c", _ELSEWHERE, str(tmp_path / "x.tfz"), how, str(batch_size)],
        env=os.environ | variables,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == hashlib.sha256(x.tobytes()).hexdigest(), done.stderr


def damaged(data, rng):
    """Some change of a file: flipped bits, a cut, an insertion, bytes of another place."""
    data, kind = bytearray(data), rng.integers(5)
    place = int(rng.integers(len(data)))
    if kind == 0:
        data[place] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        del data[place:]
    elif kind == 2:
        data[place:place] = rng.bytes(int(rng.integers(1, 9)))
    elif kind == 3:
        data[place : place + 8] = rng.bytes(8)
    else:
        data += rng.bytes(int(rng.integers(1, 9)))
    return bytes(data)


@pytest.mark.parametrize("mended", [False, pytest.param(True, id="checksum mended")])
@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.slow)])
def test_damage_is_noticed(count, mended):
    """With the last checksum mended as well, so that the other checks are reached."""
    images = [*likely(6), unlikely(1)[0], np.zeros((3, 5, 3), np.uint8)]
    data = coder().compress(images, [f"{i}.png" for i in range(8)])
    rng = np.random.default_rng(0)
    for _ in range(count if not mended else count // 10):
        broken = damaged(data, rng)
        if mended:
            broken = broken[:-4] + struct.pack("<I", zlib.crc32(broken[:-4]))
        if broken == data:
            continue
        try:
            found, _ = coder().decompress(broken)
        except ValueError as error:
            assert str(error).startswith("file: ") and "\n" not in str(error)
            continue
        assert mended, "a damaged file is accepted"
        same = len(found) == 8 and all(map(np.array_equal, found, images))
        assert same, "a damaged file gives other images"


def test_a_header_that_promises_too_much_is_refused_at_once():
    contents = container.read(coder().compress(likely(3)))
    many = container.write(dataclasses.replace(contents, count=2**60))
    with pytest.raises(ValueError, match="its parts do not fit together"):
        coder().decompress(many)
    names = container.pack_names(["a"] * 50_000)
    for changed in (
        {"count": 10**7, "code": bytes(12)},
        {"count": 2**62, "names": names},
        {"shape": (2**40, 1, 1)},
    ):
        broken = container.write(dataclasses.replace(contents, **changed))
        with pytest.raises(ValueError, match="its parts do not fit together"):
            coder().decompress(broken)


def _png_of(mode, **kwargs):
    file = io.BytesIO()
    PIL.Image.new(mode, (5, 4)).save(file, "PNG", **kwargs)
    return file.getvalue()


@pytest.mark.parametrize(
    "stored",
    [
        (container.PNG, _png_of("I;16")),
        (container.PNG, _png_of("1")),
        (container.PNG, _png_of("P")),
        (container.PNG, _png_of("L")[:-20]),
        (container.RAW, np.array([0, 5, 1], "<u4").tobytes() + zlib.compress(b"")),
        (container.RAW, np.full(3, 2**32 - 1, "<u4").tobytes() + zlib.compress(b"")),
        (container.RAW, np.array([2, 1, 1], "<u4").tobytes() + zlib.compress(b"abc")),
        (container.RAW, np.array([2, 1, 1], "<u4").tobytes() + zlib.compress(b"ab") + b"more"),
        (container.RAW, b"short"),
    ],
)
def test_stored_images_are_checked(stored):
    contents = container.read(coder().compress([likely(1)[0], unlikely(1)[0, :, :5]]))
    assert set(contents.escaped) == {1}
    broken = container.write(dataclasses.replace(contents, escaped={1: stored}))
    with pytest.raises(ValueError, match="file: damaged: a stored image cannot be read"):
        coder().decompress(broken)


@pytest.mark.parametrize("change", ["kind", "flags", "number", "file in an array"])
def test_parts_that_contradict_each_other_are_refused(change):
    contents = container.read(coder().compress([likely(1)[0], unlikely(1)[0, :, :5]]))
    kept = contents.escaped[1]
    if change == "flags":
        data = bytearray(container.write(contents))
        data[len(container.MAGIC) + 33] |= 64
        data = bytes(data[:-4]) + struct.pack("<I", zlib.crc32(data[:-4]))
    else:
        broken = {
            "kind": {"escaped": {1: (77, kept[1])}},
            "number": {"escaped": {2: kept}},
            "file in an array": {"escaped": {1: (container.FILE, b"ab")}, "axes": 4},
        }[change]
        data = container.write(dataclasses.replace(contents, **broken))
    with pytest.raises(ValueError, match="file: damaged: its parts do not fit together"):
        coder().decompress(data)


def test_files_are_for_lists_alone():
    """An array would turn a stored file into text, and lose its last zeros."""
    with pytest.raises(ValueError, match="files: expected none for an array of images, got 2"):
        coder().compress(likely(2), files=[b"ab\0\0", b"c"])
    with pytest.raises(ValueError, match="files: expected one for each of 1, got 2"):
        coder().compress(list(likely(1)), files=[b"ab", b"c"])
    with pytest.raises(ValueError, match="files: expected bytes or None, got a str for image 0"):
        coder().compress(list(likely(1)), files=["ab"])


def test_long_names_come_back_whole():
    names = ["a" * 4096, "b", "c" * 4000]
    assert coder().decompress(coder().compress(likely(3), names))[1] == tuple(names)


@pytest.mark.parametrize(
    "names",
    [
        zlib.compress(b"a\nb") + b"more",
        zlib.compress(b"a\nb")[:-2],
        zlib.compress(b"a\n" + b"b" * 9000),
        zlib.compress(b"a\nb\nc"),
        zlib.compress(b"a\n\xff"),
        b"no zlib",
    ],
)
def test_damaged_names_are_refused(names):
    contents = container.read(coder().compress(likely(2), ["a", "b"]))
    broken = container.write(dataclasses.replace(contents, names=names))
    with pytest.raises(ValueError, match="file: damaged: its names cannot be read"):
        coder().decompress(broken)


def test_a_model_that_has_changed_is_noticed():
    """Its tables were made before, and its networks would be others."""
    other = models.ImageIntegerDiscreteFlow.from_config(model().get_config())
    other.initialize(likely(2))
    own = codec.Codec(other)
    data = own.compress(likely(2))
    shake(other, scale=0.1)
    for call in (lambda: own.compress(likely(2)), lambda: own.decompress(data)):
        with pytest.raises(ValueError, match="model: the weights of .* have changed"):
            call()
    other.trainable_variables[0].assign(np.full(other.trainable_variables[0].shape, np.nan))
    with pytest.raises(ValueError, match="model: expected finite weights, got NaN or inf in"):
        codec.Codec(other)


def test_an_image_that_pillow_would_refuse_is_stored_raw(monkeypatch):
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 100)
    x = np.zeros((1, 20, 20, 1), np.uint8)
    np.testing.assert_array_equal(coder().decompress(coder().compress(x))[0], x)


def test_another_model_is_refused():
    data = codec.Codec(model(seed=1)).compress(likely(2))
    with pytest.raises(
        ValueError, match="file: expected one made with .* whose fingerprint begins"
    ):
        coder().decompress(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "file: expected a .tfz file, got another kind of file"),
        (b"PK\x03\x04 and more", "file: expected a .tfz file, got another kind of file"),
        (container.MAGIC, "file: it ends too early"),
        (container.MAGIC + bytes([9]) + bytes(20), "file: expected version 1, got 9"),
    ],
)
def test_other_files_are_refused(data, message):
    with pytest.raises(ValueError, match=message):
        coder().decompress(data)


def test_other_models_are_refused():
    with pytest.raises(ValueError, match="model: expected an ImageIntegerDiscreteFlow, got 'nice"):
        codec.Codec(models.NICE((4, 4, 1), layers=2, hidden_units=(4,), name="nice"))
    with pytest.raises(ValueError, match="model: expected quantized=True"):
        codec.Codec(models.ImageIntegerDiscreteFlow((4, 4, 1), levels=1, steps=1, width=8))
    with pytest.raises(ValueError, match="batch_size: expected a whole number from 1"):
        codec.Codec(model(), 0)


@pytest.mark.parametrize(
    ("images", "names", "message"),
    [
        (np.zeros((2, 8, 8, 1), np.float32), (), "images: expected uint8 .* got float32"),
        ([np.zeros((8, 8), np.uint8)], (), r"images: expected uint8 .* got uint8 \[8, 8\]"),
        ([None], (), "images: expected uint8 .* got NoneType for image 0"),
        (np.zeros((2, 8, 8, 1), np.uint8), ("a",), "names: expected one for each of 2, got 1"),
        (
            np.zeros((1, 8, 8, 1), np.uint8),
            ("a\nb",),
            "names: expected UTF-8 .* without line breaks",
        ),
        (np.zeros((1, 8, 8, 1), np.uint8), ("\udcff",), "names: expected UTF-8"),
        (np.zeros((1, 8, 8, 1), np.uint8), ("a" * 4097,), "names: expected .* at most 4096 bytes"),
        (np.zeros((1, 8, 8, 1), np.uint8), "a", "names: expected one for each of 1, got 1"),
        (None, (), "images: expected uint8 .* or a list of images, got a NoneType"),
        (np.array(3, np.uint8), (), r"images: expected uint8 .* got uint8 \[\]"),
    ],
)
def test_bad_images(images, names, message):
    with pytest.raises(ValueError, match=message):
        coder().compress(images, names)


def test_without_the_coder_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "constriction", None)
    with pytest.raises(ValueError, match=r"pip install 'tfflows\[codec\]'"):
        codec.Codec(model())

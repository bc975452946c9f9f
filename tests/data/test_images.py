"""Images of folders and arrays."""

import io
import os
import struct

import numpy as np
import pytest
from PIL import Image

from tfflows.data import class_context, image_folder, read_images, split_rows, table
from tfflows.data.pixels import decode

RNG = np.random.default_rng(0)


def noise(*shape):
    return RNG.integers(0, 256, shape, np.uint8)


def save(path, array, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)
    return array


def encoded(picture, kind="PNG", **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


# Folders


def test_folder_is_read_in_the_order_of_paths(tmp_path):
    images = {
        name: save(tmp_path / name, noise(4, 6, 3))
        for name in ("b.png", "a.bmp", "z/1.png", "C.webp", "z/deep/0.PNG")
        if not name.endswith("webp")
    }
    images["C.webp"] = save(tmp_path / "C.webp", noise(4, 6, 3), lossless=True)
    (tmp_path / "notes.txt").write_text("of another kind")
    save(tmp_path / ".hidden.png", noise(9, 9, 3))
    save(tmp_path / ".thumbnails" / "1.png", noise(9, 9, 3))
    result = read_images(str(tmp_path))
    assert result.x.dtype == np.uint8 and result.skipped == []
    order = ["C.webp", "a.bmp", "b.png", "z/1.png", "z/deep/0.PNG"]
    np.testing.assert_array_equal(result.x, [images[name] for name in order])
    assert result.labels is None and result.class_names is None


def test_folders_are_classes(tmp_path):
    values = {"dog/1.png": 1, "cat/2.png": 2, "cat/1.png": 3, "ant/1.png": 4}
    for name, value in values.items():
        save(tmp_path / name, np.full((2, 2), value, np.uint8))
    (tmp_path / "cat" / "0.png").write_text("not an image")
    result = read_images(tmp_path)
    np.testing.assert_array_equal(result.x[:, 0, 0, 0], [4, 3, 2, 1])
    np.testing.assert_array_equal(result.labels, [0, 1, 1, 2])
    assert result.labels.dtype == np.int64 and result.class_names == ["ant", "cat", "dog"]
    assert result.skipped == ["cat/0.png: not a PNG, JPEG, WebP or BMP image"]
    save(tmp_path / "loose.png", noise(2, 2))
    assert read_images(tmp_path).labels is None
    assert read_images(tmp_path / "cat").labels is None


def test_one_folder_is_no_class(tmp_path):
    save(tmp_path / "all" / "1.png", noise(2, 2))
    assert read_images(tmp_path).labels is None


def test_links_back_are_not_followed(tmp_path):
    for name in ("ant", "cat"):
        save(tmp_path / name / "1.png", noise(2, 2))
    (tmp_path / "ant" / "up").symlink_to("..")
    (tmp_path / "ant" / "aside").symlink_to("../cat")
    (tmp_path / "cat" / "aside").symlink_to("../ant")
    found = [str(file.relative_to(tmp_path)) for file in image_folder.find(tmp_path)]
    assert found == ["ant/1.png", "ant/aside/1.png", "cat/1.png", "cat/aside/1.png"]


def test_more_files_than_are_read_at_a_time(tmp_path):
    for i in range(300):
        save(tmp_path / f"{i:03}.png", np.full((1, 1), i % 256, np.uint8))
    np.testing.assert_array_equal(read_images(tmp_path).x.ravel(), np.arange(300) % 256)


def test_a_link_to_itself_hides_nothing(tmp_path):
    for name in "abcdef":
        save(tmp_path / f"{name}.png", noise(8, 8))
        (tmp_path / f"{name}_loop.png").symlink_to(tmp_path / f"{name}_loop.png")
    result = read_images(tmp_path)
    assert len(result.x) == 6 and len(result.skipped) == 6


def test_a_folder_that_cannot_be_listed_is_refused(tmp_path, monkeypatch):
    for name in ("cat", "dog", "eel"):
        save(tmp_path / name / "a.png", noise(8, 8))
    listdir = os.listdir

    def denied(folder):
        if str(folder).endswith("dog"):
            raise PermissionError(13, "Permission denied", folder)
        return listdir(folder)

    monkeypatch.setattr(os, "listdir", denied)
    with pytest.raises(ValueError, match="path: cannot list '.*dog': Permission denied"):
        read_images(tmp_path)


@pytest.mark.parametrize("limit", [150, 100])  # Pillow warns above the limit, raises above twice
def test_an_image_of_too_many_pixels_is_skipped(tmp_path, monkeypatch, recwarn, limit):
    good = save(tmp_path / "good.png", noise(8, 8, 3))
    save(tmp_path / "huge.png", noise(15, 16, 3))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    result = read_images(tmp_path)
    np.testing.assert_array_equal(result.x, [good])
    assert result.skipped == [f"huge.png: more than {limit} pixels; shrink it first"]
    assert not recwarn.list


def test_unreadable_files_are_named(tmp_path):
    good = save(tmp_path / "good.png", noise(8, 8, 3))
    save(tmp_path / "short.jpg", noise(64, 64, 3))
    data = (tmp_path / "short.jpg").read_bytes()
    (tmp_path / "short.jpg").write_bytes(data[: len(data) // 2])
    (tmp_path / "empty.png").write_bytes(b"")
    save(tmp_path / "small.png", noise(4, 9, 3))
    save(tmp_path / "loop.gif", noise(8, 8))
    save(tmp_path / "deep.png", noise(8, 8).astype(np.uint16))
    result = read_images(tmp_path, crop=8)
    np.testing.assert_array_equal(result.x, [good])
    reasons = dict(line.split(": ", 1) for line in result.skipped)
    assert list(reasons) == ["deep.png", "empty.png", "loop.gif", "short.jpg", "small.png"]
    assert reasons["deep.png"].startswith("16 bits per channel")
    assert "truncated" in reasons["short.jpg"]
    assert reasons["small.png"] == "expected at least 8 x 8 pixels to crop, got 4 x 9"
    (tmp_path / "good.png").unlink()
    with pytest.raises(ValueError, match="among 5 files; 2 failed like empty.png: not a PNG, JPEG"):
        read_images(tmp_path, crop=8)


def test_sizes_that_differ(tmp_path):
    save(tmp_path / "a.png", noise(4, 6, 3))
    save(tmp_path / "b.png", noise(4, 6, 3))
    save(tmp_path / "c.png", noise(4, 5, 3))
    with pytest.raises(ValueError, match="size: expected .*a.png has 4 x 6.*c.png has 4 x 5"):
        read_images(tmp_path)
    assert read_images(tmp_path, size=(2, 2)).x.shape == (3, 2, 2, 3)


def test_files_that_are_enlarged_are_named(tmp_path):
    for name, shape in {"fits": (8, 8), "tiny": (3, 3), "wide": (8, 40), "tall": (40, 7)}.items():
        save(tmp_path / f"{name}.png", noise(*shape, 3))
    assert read_images(tmp_path, size=(8, 8)).enlarged == ["tall.png", "tiny.png"]
    assert read_images(tmp_path, size=(8, 8), crop="none").enlarged == ["tall.png", "tiny.png"]
    assert read_images(tmp_path, size=(8, 8), crop=4).enlarged == [
        "fits.png",
        "tall.png",
        "wide.png",
    ]
    assert not read_images(tmp_path, size=(3, 3)).enlarged
    assert not read_images(tmp_path, size=(8, 8), resize="none").enlarged


# Cropping and resizing


def test_centre_crop_then_mean(tmp_path):
    image = save(tmp_path / "a.png", noise(4, 10, 3))
    result = read_images(tmp_path, size=(2, 2)).x[0]
    blocks = image[:, 3:7].reshape(2, 2, 2, 2, 3).mean(axis=(1, 3))
    assert np.abs(result - blocks).max() <= 1
    tall = save(tmp_path / "a.png", noise(10, 4, 3))
    result = read_images(tmp_path, size=(2, 4)).x[0]
    assert np.abs(result - tall[4:6].astype(float)).max() <= 1


def test_crop_and_resize_as_told(tmp_path):
    image = save(tmp_path / "a.png", noise(8, 12, 3))
    whole = read_images(tmp_path, size=(4, 4), crop="none").x[0]
    assert np.abs(whole - image.reshape(4, 2, 4, 3, 3).mean(axis=(1, 3))).max() <= 1
    window = read_images(tmp_path, size=(3, 4), resize="none").x[0]
    np.testing.assert_array_equal(window, image[2:5, 4:8])
    for crop in (6, "6"):
        square = read_images(tmp_path, size=(3, 3), crop=crop).x[0]
        blocks = image[1:7, 3:9].reshape(3, 2, 3, 2, 3).mean(axis=(1, 3))
        assert np.abs(square - blocks).max() <= 1
    np.testing.assert_array_equal(read_images(tmp_path, crop=6).x[0], image[1:7, 3:9])


def test_enlarging_is_smooth(tmp_path):
    ramp = np.tile(np.linspace(0, 250, 6).astype(np.uint8), (6, 1))
    save(tmp_path / "a.png", ramp)
    steps = np.diff(read_images(tmp_path, size=(24, 24)).x[0, 0, 4:-4, 0].astype(int))
    assert steps.min() >= 10 and steps.max() <= 15  # copying pixels would give 0 and 50


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": (0, 4)}, r"size: expected \(height, width\) in pixels, got \(0, 4\)"),
        ({"size": 32}, r"size: expected \(height, width\) in pixels, got 32"),
        ({"size": (2.5, 4)}, r"size: expected \(height, width\)"),
        ({"crop": "left"}, "crop: expected 'center', 'none' or a number of pixels, got 'left'"),
        ({"crop": 0}, "crop: expected .* got 0"),
        ({"resize": "cubic"}, "resize: expected 'area' or 'none', got 'cubic'"),
        ({"channels": 4}, "channels: expected 1, 3 or None, got 4"),
        ({"size": (9, 9), "resize": "none"}, "image 0: expected at least 9 x 9 pixels to crop"),
        ({"size": (4, 4), "resize": "none", "crop": 6}, "image 0: expected 4 x 4 .* got 6 x 6"),
    ],
)
def test_arguments_are_checked(tmp_path, arguments, message):
    np.save(tmp_path / "a.npy", noise(2, 8, 8))
    with pytest.raises(ValueError, match=message):
        read_images(tmp_path / "a.npy", **arguments)


# Pixels


def test_grey_and_colour(tmp_path):
    grey = save(tmp_path / "a.png", noise(3, 3))
    colour = save(tmp_path / "b.png", noise(3, 3, 3))
    luma = (colour @ [0.299, 0.587, 0.114])[..., None]
    last = save(tmp_path / "c.png", noise(3, 3))
    expected = [np.stack([grey] * 3, -1), colour, np.stack([last] * 3, -1)]
    for channels in (None, 3):  # one has colours, and none loses them
        np.testing.assert_array_equal(read_images(tmp_path, channels=channels).x, expected)
    result = read_images(tmp_path, channels=1).x
    assert result.shape == (3, 3, 3, 1)
    np.testing.assert_array_equal(result[[0, 2], ..., 0], [grey, last])
    assert np.abs(result[1] - luma).max() <= 1
    (tmp_path / "b.png").unlink()
    assert read_images(tmp_path).x.shape == (2, 3, 3, 1)


def test_transparent_pixels_are_laid_over_white():
    rgba = np.array([[[10, 20, 30, 255], [10, 20, 30, 0], [0, 100, 200, 51]]], np.uint8)
    expected = [[[10, 20, 30], [255, 255, 255], [204, 224, 244]]]
    np.testing.assert_array_equal(decode(encoded(Image.fromarray(rgba))), expected)
    la = np.array([[[100, 255], [100, 0]]], np.uint8)
    np.testing.assert_array_equal(decode(encoded(Image.fromarray(la, "LA"))), [[[100], [255]]])
    key = encoded(Image.fromarray(rgba[..., :3]), transparency=(0, 100, 200))
    np.testing.assert_array_equal(decode(key)[0, :, 0], [10, 10, 255])


def bitmap(rgba):
    """A BMP file of 32 bits a pixel, with masks for colours and alpha."""
    height, width, _ = rgba.shape
    pixels = rgba[::-1, :, [2, 1, 0, 3]].tobytes()
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + bytes(52)
    header = struct.pack("<IiiHHIIiiII", 108, width, height, 1, 32, 3, len(pixels), 0, 0, 0, 0)
    start = 14 + len(header + masks)
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + header + masks + pixels


def test_alpha_of_a_bitmap():
    rgba = noise(3, 5, 4)
    for alpha in (0, 255):  # 0: as programs write it that know of no transparency
        rgba[..., 3] = alpha
        np.testing.assert_array_equal(decode(bitmap(rgba)), rgba[..., :3])
    rgba[1, 2, 3] = 0
    expected = rgba[..., :3].copy()
    expected[1, 2] = 255
    np.testing.assert_array_equal(decode(bitmap(rgba)), expected)
    # A PNG says of each pixel what it means.
    rgba[..., 3] = 0
    assert (decode(encoded(Image.fromarray(rgba))) == 255).all()


def test_more_kinds_of_pixels():
    grey = noise(4, 4)
    np.testing.assert_array_equal(
        decode(encoded(Image.fromarray(grey), transparency=int(grey[0, 0])))[..., 0],
        np.where(grey == grey[0, 0], 255, grey),
    )
    frames = [Image.fromarray(np.full((8, 8, 3), value, np.uint8)) for value in (40, 200)]
    moving = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    assert (decode(moving) == 40).all()
    moving = encoded(frames[0], "PNG", save_all=True, append_images=frames[1:])
    assert (decode(moving) == 40).all()
    with pytest.raises(ValueError, match="16 bits per channel; save it with 8"):
        decode(encoded(Image.fromarray(grey.astype(np.uint16) * 256)))
    with pytest.raises(ValueError, match="not a PNG, JPEG, WebP or BMP image"):
        decode(encoded(Image.fromarray(grey), "GIF"))


def test_palettes_and_bits():
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.putdata([1, 0])
    np.testing.assert_array_equal(decode(encoded(palette)), [[[40, 50, 60], [10, 20, 30]]])
    clear = decode(encoded(palette, transparency=0))
    np.testing.assert_array_equal(clear, [[[40, 50, 60], [255, 255, 255]]])
    bits = Image.fromarray(np.array([[True, False]]))
    np.testing.assert_array_equal(decode(encoded(bits)), [[[255], [0]]])
    cmyk = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    red = decode(encoded(cmyk, "JPEG"))
    assert red.shape == (8, 8, 3) and red[0, 0, 0] > 250 and red[0, 0, 1:].max() < 5


def test_sixteen_bits_of_colour_are_refused():
    import zlib

    def chunk(kind, data):
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)  # RGB, which Pillow cannot write
    pixels = zlib.compress(bytes(1 + 6))
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels)
    with pytest.raises(ValueError, match="16 bits per channel; save it with 8"):
        decode(png + chunk(b"IEND", b""))


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_orientation_of_the_camera_is_applied(kind):
    image = np.zeros((8, 16), np.uint8)
    image[:, :8] = 255  # the left is white
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned clockwise: the top is white
    result = decode(encoded(Image.fromarray(image), kind, exif=exif))
    assert result.shape == (16, 8, 1)
    assert result[:8].min() > 240 and result[8:].max() < 15


# Arrays


def test_arrays(tmp_path):
    grey, colour, y = noise(5, 4, 6), noise(5, 4, 6, 3), np.array([1, 0, 2, 2, 0], np.uint8)
    np.save(tmp_path / "grey.npy", grey)
    np.savez(tmp_path / "x.npz", x=colour, y=y, images=noise(2, 2, 2))
    np.savez(tmp_path / "images.npz", images=colour, labels=y[:, None], mean=np.zeros(3))
    np.savez(tmp_path / "only.npz", faces=grey, y=y)
    result = read_images(tmp_path / "grey.npy")
    np.testing.assert_array_equal(result.x, grey[..., None])
    assert result.labels is None and result.skipped == []
    for name in ("x", "images", "only"):
        result = read_images(tmp_path / f"{name}.npz")
        np.testing.assert_array_equal(result.x, grey[..., None] if name == "only" else colour)
        np.testing.assert_array_equal(result.labels, y)
        assert result.labels.dtype == np.int64 and result.class_names == ["0", "1", "2"]
    result = read_images(tmp_path / "x.npz", size=(2, 3), channels=1)
    assert result.x.shape == (5, 2, 3, 1)
    mean = (colour @ [0.299, 0.587, 0.114]).reshape(5, 2, 2, 3, 2).mean(axis=(2, 4))
    assert np.abs(result.x[..., 0] - mean).max() <= 2
    assert read_images(tmp_path / "grey.npy", channels=3).x.shape == (5, 4, 6, 3)


X = np.zeros((4, 5, 5), np.uint8)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": X / 255}, r"dtype uint8, got float64; store \(255 \* x\).round\(\).*0 to 1$"),
        ({"x": X.astype(int)}, r"dtype uint8, got int64; store x.astype\('uint8'\) .* 0 to 255"),
        ({"x": X[0]}, r"expected shape \[n, H, W\], .* got \[5, 5\]"),
        ({"x": np.zeros((32, 32, 3), np.uint8)}, r"expected shape .* got \[32, 32, 3\]"),
        ({"x": np.zeros((2, 3, 32, 32), np.uint8)}, r"expected shape .* got \[2, 3, 32, 32\]"),
        ({"x": X[:0]}, r"expected shape .* got \[0, 5, 5, 1\]"),
        ({"a": X, "b": X, "y": X}, r"under key 'x' or 'images', got keys \['a', 'b', 'y'\]"),
        ({"x": X, "y": np.zeros(3, int)}, r"labels: expected integers \[4\].* got int64 \[3\]"),
        ({"x": X, "y": np.zeros(4)}, r"labels: expected integers \[4\].* got float64 \[4\]"),
        ({"x": X, "y": np.arange(4) - 1}, "labels: expected classes counted from 0, got -1"),
        (
            {"x": X, "y": np.arange(4) * 10**6},
            "labels: expected class numbers below .* got 3000000",
        ),
        (
            {"x": X, "y": np.array([0, 1, 2, 2**63 + 5], np.uint64)},
            "labels: expected class numbers",
        ),
        ({"x": np.array([X], object)}, "cannot be read as .npz: Object arrays"),
        ({"data": np.zeros((2, 12 + 3), np.uint8)}, r"rows \[n, 3 \* H \* H\] .* got \[2, 15\]"),
        (
            {"data": np.zeros((2, 12), np.uint8), "labels": [0, 1]},
            "labels: expected classes counted from 1, got 0",
        ),
    ],
)
def test_arrays_that_are_no_images(tmp_path, arrays, message):
    path = tmp_path / "a.npz"
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match=message) as error:
        read_images(path)
    assert str(error.value).startswith(f"{path}: ")


def test_paths_that_are_no_images(tmp_path):
    with pytest.raises(ValueError, match=r"path: .* got '.*absent', which does not exist"):
        read_images(tmp_path / "absent")
    (tmp_path / "notes.txt").write_text("a")
    with pytest.raises(ValueError, match=r"path: expected a folder, .npz or .npy, got the file"):
        read_images(tmp_path / "notes.txt")
    with pytest.raises(ValueError, match="path: expected a folder with images, .* has none"):
        read_images(tmp_path)
    (tmp_path / "a.npz").write_bytes(b"PK not a zip")
    with pytest.raises(ValueError, match=r"a.npz: cannot be read as .npz"):
        read_images(tmp_path / "a.npz")


# Downsampled ImageNet


def batch(path, images, labels):
    rows = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
    np.savez(path, data=rows, labels=labels, mean=rows.mean(axis=0))


def test_batches_of_downsampled_imagenet(tmp_path):
    x, y = noise(7, 8, 8, 3), np.array([1, 3, 2, 1, 3, 3, 1])
    batch(tmp_path / "train_data_batch_1.npz", x[:2], y[:2])
    batch(tmp_path / "train_data_batch_2.npz", x[2:4], y[2:4])
    batch(tmp_path / "train_data_batch_10.npz", x[4:], y[4:])
    batch(tmp_path / "val_data.npz", x[:1], y[:1])
    result = read_images(tmp_path)
    np.testing.assert_array_equal(result.x, x)
    np.testing.assert_array_equal(result.labels, y - 1)
    assert result.class_names == ["0", "1", "2"]
    assert read_images(tmp_path / "val_data.npz").x.flags["C_CONTIGUOUS"]
    one = read_images(tmp_path / "val_data.npz", size=(4, 4))
    assert one.x.shape == (1, 4, 4, 3)
    np.testing.assert_array_equal(one.labels, [0])
    np.savez(tmp_path / "train_data_batch_3.npz", data=noise(2, 3 * 8 * 8))
    with pytest.raises(ValueError, match="batch_3.npz: labels: expected in every file or in none"):
        read_images(tmp_path)
    batch(tmp_path / "train_data_batch_3.npz", noise(1, 4, 4, 3), [1])
    with pytest.raises(ValueError, match=r"batch_3.npz: images: expected \[8, 8, 3\] as in"):
        read_images(tmp_path)


# Splits and classes


def test_split_is_that_of_tables():
    for parts in zip(split_rows(105), table.split(105), strict=True):
        np.testing.assert_array_equal(*parts)
    assert [len(part) for part in split_rows(105)] == [86, 9, 10]
    with pytest.raises(ValueError, match="images: expected at least 11 to split, got 10"):
        split_rows(10)


def test_class_context():
    context = class_context(np.array([2, 0]), 4)
    assert context.dtype == np.float32
    np.testing.assert_array_equal(context, [[0, 0, 1, 0], [1, 0, 0, 0]])
    for labels, message in [
        ([0, 4], "labels: expected 0 to 3, got 0 to 4"),
        ([-1, 2], "labels: expected 0 to 3, got -1 to 2"),
        ([0.5], r"labels: expected integers \[n\], got float64 \[1\]"),
        ([[1]], r"labels: expected integers \[n\], got int64 \[1, 1\]"),
    ]:
        with pytest.raises(ValueError, match=message):
            class_context(np.array(labels), 4)

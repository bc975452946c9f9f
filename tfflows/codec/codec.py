"""Lossless compression of images by an integer flow."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

from tfflows.checks import whole_number
from tfflows.codec import container, stored
from tfflows.models.discrete import tables
from tfflows.models.discrete.images import ImageIntegerDiscreteFlow

CHUNK = 256  # images whose latents are coded level by level; a part of the file format
_PIECE = 1 << 14  # numbers whose tables are in memory at a time


def fingerprint(model) -> bytes:
    """The sha256 of all that decides a model's numbers: its arguments and its weights."""
    arguments = {name: v for name, v in sorted(model.get_config().items()) if name != "name"}
    found = hashlib.sha256(json.dumps(arguments).encode())
    for variable in model.weights:
        found.update(np.ascontiguousarray(variable.numpy(), "<f4").tobytes())
    return found.digest()


class Codec:
    """Compresses images with a model, and decompresses them.

    A file that one machine has made decompresses to the same images on any other: the networks
    compute with 8-bit integers, and the tables hold probabilities as integers.

    Args:
      model: an `ImageIntegerDiscreteFlow` with `quantized=True`.
      batch_size: images that go through the networks at a time; it does not change the result.

    Raises:
      ValueError: for another model, or if the package `constriction` is not installed.
    """

    def __init__(self, model, batch_size: int = 64):
        check_model(model)
        batch_size = whole_number("batch_size", batch_size, 1)
        self._queue, self._kind = _coder()
        self.model, self._batch = model, batch_size
        self.fingerprint = fingerprint(model)
        self._tables, learned = model.tables()
        self._learned = tables.shares_of(learned)
        self._sizes = model.level_sizes
        self._least_bits = -np.log2(self._learned.max(1)).sum()
        self._least_bits -= math.log2(self._tables.largest) * sum(self._sizes[:-1])
        self._functions = {}

    # The networks.

    def _run(self, key, function, *arrays) -> list[np.ndarray]:
        """Calls a graph function on batches of rows."""
        if key not in self._functions:
            specs = [tf.TensorSpec([None, *a.shape[1:]], tf.int32) for a in arrays]
            self._functions[key] = tf.function(function, specs, autograph=False)
        run, found = self._functions[key], []
        for start in range(0, len(arrays[0]), self._batch):
            rows = slice(start, start + self._batch)
            found.append(run(*(tf.constant(array[rows], tf.int32) for array in arrays)))
        return [np.concatenate(parts) for parts in zip(*found, strict=True)]

    def _latents(self, images: np.ndarray) -> list[list[np.ndarray]]:
        """Of each level the latents, and for all but the last their means and scales."""
        arrays = self._run("code", self.model.code_fn, images)
        ends = np.cumsum(self._sizes)[:-1]
        symbols, means, scales = (np.split(array, ends, axis=1) for array in arrays)
        levels = [list(level) for level in zip(symbols, means, scales, strict=True)]
        return [*levels[:-1], levels[-1][:1]]

    def _step(self, level, symbols, known):
        """What the next step takes, with its means and scales; the images at level 0."""

        def run(*arguments):
            result = self.model.decode_step_fn(level, *arguments)
            return [result] if level == 0 else result

        arguments = [symbols] if known is None else [symbols, known]
        return self._run(("step", level), run, *arguments)

    # The entropy coder.

    def _pieces(self, count: int, places) -> Iterator[tuple[slice, np.ndarray]]:
        """Slices of the numbers of a level of `count` images, with the tables of each."""
        if not places:
            size = len(self._learned)
            for row in range(count):
                yield slice(row * size, (row + 1) * size), self._learned
            return
        means, scales = (array.ravel() for array in places)
        for start in range(0, means.size, _PIECE):
            piece = slice(start, start + _PIECE)
            yield piece, self._tables.shares(means[piece], scales[piece])

    def _bits(self, levels) -> np.ndarray:
        """The bits of each image."""
        total = np.zeros(len(levels[0][0]))
        for symbols, *places in levels:
            each = np.empty(symbols.size)
            for piece, shares in self._pieces(len(symbols), places):
                chosen = shares[np.arange(len(shares)), symbols.ravel()[piece]]
                each[piece] = -np.log2(chosen)
            total += each.reshape(symbols.shape).sum(1)
        return total

    def _encode(self, encoder, levels) -> None:
        for symbols, *places in reversed(levels):
            for piece, shares in self._pieces(len(symbols), places):
                encoder.encode(symbols.ravel()[piece], self._kind, shares)

    def _decode(self, decoder, count: int) -> np.ndarray:
        values, places = None, []
        for level in reversed(range(len(self._sizes))):
            symbols = np.empty(count * self._sizes[level], np.int32)
            for piece, shares in self._pieces(count, places):
                try:
                    symbols[piece] = decoder.decode(self._kind, shares)
                except AssertionError:  # constriction's, for a code that no encoder writes
                    raise ValueError("file: damaged: its code cannot be decoded") from None
            values, *places = self._step(level, symbols.reshape(count, -1), values)
        return values

    # Files.

    def compress(
        self, images, names: Sequence[str] = (), files: Sequence[bytes | None] = ()
    ) -> bytes:
        """The bytes of a file that holds the images; `tfflows.codec.container` has its format.

        An image that the model does not fit (of another shape, say), or that is smaller as a PNG,
        is stored as one. The result is decoded once to make sure that it holds the images.

        Args:
          images: `uint8 [n, H, W, C]` or `[n, H, W]`, or a list of arrays `uint8 [H, W, C]` of any
            shapes. An image may be `None` if its file is given.
          names: a name of each image, to be kept with it; empty for none.
          files: for a list, the file that each image was read from, as bytes or `None`; empty for
            none. A file that is smaller than its coded pixels is stored as it is.

        Raises:
          ValueError: if the images are not bytes, names or files are not one for each, or the
            model's weights have changed.
          RuntimeError: if the result does not decode to the images.
        """
        self._check_unchanged()
        items, axes = stored.items(images, files)
        packed = container.pack_names(names)
        if len(names) not in (0, len(items)) or isinstance(names, str):
            raise ValueError(f"names: expected one for each of {len(items)}, got {len(names)}")
        kept, coded = {}, []
        encoder = self._queue.RangeEncoder()
        for start in range(0, len(items), CHUNK):
            coded += self._choose(items, range(start, min(start + CHUNK, len(items))), kept)
            while len(coded) >= CHUNK:
                self._encode(encoder, _stacked(coded[:CHUNK]))
                del coded[:CHUNK]
        if coded:
            self._encode(encoder, _stacked(coded))
        result = [
            kept[i][1] if i in kept and kept[i][0] == container.FILE else item.pixels
            for i, item in enumerate(items)
        ]
        contents = container.Contents(
            fingerprint=self.fingerprint,
            shape=self.model.event_shape,
            count=len(items),
            axes=axes,
            names=packed,
            escaped=kept,
            code=encoder.get_compressed().astype("<u4").tobytes(),
            pixels=stored.checksum(result),
        )
        data = container.write(contents)
        try:
            same = self.decompress(data)[1] == tuple(names)
        except ValueError as error:
            raise RuntimeError(f"the result does not decode to the images: {error}") from None
        if not same:
            raise RuntimeError("the result does not decode to the names")
        return data

    def _check_unchanged(self) -> None:
        if fingerprint(self.model) != self.fingerprint:
            raise ValueError(
                f"model: the weights of {self.model.name} have changed since this Codec was made; "
                "make another"
            )

    def _choose(self, items, numbers, kept: dict) -> list:
        """The latents of the images that are coded; the others are added to those stored."""
        fits = []
        for number in numbers:
            pixels = items[number].pixels
            same = pixels is not None and pixels.shape == self.model.event_shape
            if same and pixels.max() < self.model.levels:
                fits.append(number)
            else:
                kept[number] = items[number].stored()
        if not fits:
            return []
        levels, coded = self._latents(np.stack([items[i].pixels for i in fits])), []
        for row, (number, bits) in enumerate(zip(fits, self._bits(levels), strict=True)):
            kind, data = items[number].stored()
            if 8 * len(data) < bits:
                kept[number] = kind, data
            else:
                coded.append([[array[row] for array in level] for level in levels])
        return coded

    def decompress(self, data: bytes):
        """The images of a file.

        Returns:
          The images: an array of the shape that was compressed (of the model's shape, if it had no
          images), or a list of arrays `[H, W, C]`, with bytes in place of an image whose file was
          stored; and their names, a tuple that may be empty.

        Raises:
          ValueError: if it is no such file, is damaged, or was made with another model.
        """
        self._check_unchanged()
        contents = container.read(bytes(data))
        if contents.fingerprint != self.fingerprint:
            raise ValueError(
                f"file: expected one made with {self.model.name}, whose fingerprint begins with "
                f"{self.fingerprint.hex()[:12]}, got {contents.fingerprint.hex()[:12]}"
            )
        count = contents.count - len(contents.escaped)
        fit = contents.shape == self.model.event_shape and not len(contents.code) % 4
        # A count is believed only if so many bits can code so many images.
        if not fit or count < 0 or count * self._least_bits > 8 * len(contents.code):
            raise ValueError("file: damaged: its parts do not fit together")
        names = container.unpack_names(contents.names, contents.count)
        decoder = self._queue.RangeDecoder(np.frombuffer(contents.code, "<u4").astype(np.uint32))
        images = {number: stored.restored(*kept) for number, kept in contents.escaped.items()}
        coded = [i for i in range(contents.count) if i not in images]
        for start in range(0, count, CHUNK):
            numbers = coded[start : start + CHUNK]
            images |= zip(numbers, self._decode(decoder, len(numbers)), strict=True)
        images = [images[i] for i in range(contents.count)]
        if stored.checksum(images) != contents.pixels:
            raise ValueError("file: the decoded images differ from those that were compressed")
        if not contents.axes:
            return images, names
        if len({image.shape for image in images}) > 1:
            raise ValueError("file: damaged: an array of images of several shapes")
        array = np.stack(images) if images else np.zeros((0, *contents.shape), np.uint8)
        return (array[..., 0] if contents.axes == 3 else array), names


def _stacked(rows: list) -> list[list[np.ndarray]]:
    """The latents of several images, from those of each."""
    return [
        [np.stack(arrays) for arrays in zip(*level, strict=True)]
        for level in zip(*rows, strict=True)
    ]


def check_model(model) -> None:
    """Raises a ValueError unless a codec can use the model."""
    if not isinstance(model, ImageIntegerDiscreteFlow):
        raise ValueError(
            f"model: expected an ImageIntegerDiscreteFlow, got {getattr(model, 'name', model)!r}, "
            f"a {type(model).__name__}"
        )
    if not model.get_config()["quantized"]:
        raise ValueError(
            "model: expected quantized=True, as the numbers of float networks differ between "
            f"machines, got {model.name} with quantized=False"
        )
    for variable in model.weights:
        if not np.isfinite(variable.numpy()).all():
            raise ValueError(f"model: expected finite weights, got NaN or inf in {variable.path}")


def _coder():
    try:
        import constriction
    except ImportError:
        raise ValueError(
            "the codec needs the package constriction; pip install 'tfflows[codec]' installs it"
        ) from None
    # `perfect` has changed its default from version to version, and is a part of the format.
    return constriction.stream.queue, constriction.stream.model.Categorical(perfect=False)

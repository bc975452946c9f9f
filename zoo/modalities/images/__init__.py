"""Images, as integers."""

from __future__ import annotations

import dataclasses

from absl import flags

from zoo.modalities import base

_MASKS = ("top", "bottom", "left", "right", "center", "checkerboard", "random")
_METHODS = ("ascent", "langevin")
_DRAWS = {"n", "seed", "start", "temperature"}
_REAL = {"images", "data_path", "data_dir"}
_SHOWN = {"interpolate": 8, "manifold": 4, "reconstruct": 16, "inpaint": 8}  # images by default


class Images(base.InBits, base.Modality):
    """Images `[H, W, C]` of integers."""

    sources = ("tfds", "images")
    file_sources = ("images",)
    modes = {
        "samples": _DRAWS | {"class"},
        "classes": _DRAWS,
        "interpolate": _REAL | {"steps"},
        "manifold": _REAL | {"steps"},
        "reconstruct": _REAL,
        "inpaint": _REAL | {"n", "seed", "steps", "mask", "method"},
    }

    # Data.

    def event_shape(self, config):
        """As `Modality.event_shape`."""
        size = (config.data.height, config.data.width, config.data.channels)
        return size if min(size) > 0 else None

    def shape_to_build(self, name, known, arguments):
        """As `Modality.shape_to_build`; the argument is `shape`."""
        shape = arguments.pop("shape", None) or known
        if shape is None:
            raise ValueError(
                f"shape: {name} is for your own images; give (height, width, channels)"
            )
        return shape

    def load(self, config, trained):
        """As `Modality.load`; classes are matched by their names on the card."""
        from zoo.modalities.images import load

        return load.load(config, self.event_shape(config), trained.get("class_names"))

    # Training.

    def announcements(self, config, data):
        """Files that could not be read, and files that were smaller than the training size."""
        lines = []
        for what in ("skipped", "enlarged"):
            files = data.facts.get(what, [])
            if files:
                number = "1 file" if len(files) == 1 else f"{len(files)} files"
                more = "; ..." if len(files) > 3 else ""
                lines.append(f"{number} {what}: {'; '.join(files[:3])}{more}")
        return lines

    # Pictures.

    def progress(self, model, data):
        """Draws samples."""
        from zoo.modalities.images import pictures

        return lambda path, step: pictures.samples(model, path, f"{model.name}, step {step}")

    def pictures(self, model, data, folder):
        """Draws samples and, for a model with latents, reconstructions and interpolations."""
        from zoo.modalities.images import pictures

        return pictures.draw(model, data, folder)

    def gallery(self, model, config, folder):
        """Samples: they need no data."""
        from zoo.modalities.images import pictures

        return [pictures.samples(model, folder / "samples.png", model.name)]

    # Samples.

    def define_flags(self):
        """As `Modality.define_flags`."""
        flags.DEFINE_integer("class", None, "The class to draw; by default all in turn.")
        flags.DEFINE_list("images", None, "Indices of the test images, such as 3,7.")
        flags.DEFINE_integer(
            "steps",
            None,
            "Number of images in a row of interpolate or manifold, or of gradient steps in "
            "inpaint.",
        )
        flags.DEFINE_enum("mask", "bottom", _MASKS, "Part of each image that inpaint hides.")
        flags.DEFINE_enum("method", "ascent", _METHODS, "How inpaint fills in the hidden part.")

    def check_output(self, model, path):
        """As `Modality.check_output`."""
        from zoo.modalities.images import modes

        modes.check_path(path)

    def sample(self, model, values, facts, load):
        """Images in rows and columns; see `modes`."""
        picture = self._picture(model, values, facts, load)
        title = f"{len(picture.images)} images, {values.mode} of {model.name}"
        return dataclasses.replace(picture, title=title)

    def _picture(self, model, values, facts, load):
        from zoo.modalities.images import modes

        given = {"n": values.n, "steps": values.steps}
        given = {name: value for name, value in given.items() if value is not None}
        if given.get("n", 1) < 1:
            raise ValueError(f"n: expected at least 1, got {values.n}")
        draws = {"seed": values.seed, "start": values.start, "temperature": values.temperature}
        mode = values.mode
        if mode == "samples":
            return modes.samples(model, **given, **draws, label=values["class"].value)
        if mode == "classes":
            return modes.classes(model, **given, **draws, names=facts.get("class_names"))
        if not model.has_latents:
            raise ValueError(
                f"mode: {mode} needs a model with latents, such as a flow; {model.name} has none"
            )
        chosen = values["images"].present
        indices = _indices(values.images) if chosen else _SHOWN[mode]
        x, context = modes.real_images(load(), indices)
        if mode == "inpaint":
            given["completions"] = given.pop("n", 3)
            names = [str(i) for i in (indices if chosen else range(len(x)))]
            given |= {"mask": values.mask, "method": values.method, "seed": values.seed}
            return modes.inpaint(model, x, context, **given, names=names)
        return getattr(modes, mode)(model, x, context, **given)


def _indices(texts: list[str]) -> list[int]:
    for text in texts or [""]:
        if not text.isdecimal():
            raise ValueError(f"images: expected indices such as 3,7, got {text!r}")
    return [int(text) for text in texts]


MODALITY = Images()

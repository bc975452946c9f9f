"""The zoo: named models, trained and to be trained.

    >>> import zoo
    >>> flow = zoo.load("nsf_moons")
    >>> flow.log_prob(flow.sample(3, seed=0)).shape
    TensorShape([3])

`zoo.names()` lists the configs and `zoo.pretrained()` the models that come trained; `zoo.build`
makes one untrained, `zoo.load` gives one with its weights (or a work directory's), `zoo.card` tells
how it was made. `python -m zoo` lists the models and the commands; each command has `--help`.
"""

from zoo.registry import build, card, config, load, names, pretrained

__all__ = ["build", "card", "config", "load", "names", "pretrained"]

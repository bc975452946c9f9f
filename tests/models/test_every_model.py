"""Every model of the registry passes every check."""

import pytest

from tests.marks import some
from tests.model_checks import CHEAP, EXPENSIVE
from tests.model_registry import KINDS, MORE_KINDS, REGISTRY, prepared


@pytest.mark.parametrize("check", CHEAP)
@pytest.mark.parametrize("name", some(REGISTRY, KINDS + MORE_KINDS))
def test_model(name, check):
    CHEAP[check](*prepared(name))


@pytest.mark.parametrize("check", EXPENSIVE)
@pytest.mark.parametrize("name", some(REGISTRY, KINDS))
def test_model_made_again_or_compiled(name, check):
    EXPENSIVE[check](*prepared(name))

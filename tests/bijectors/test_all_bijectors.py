"""Every bijector of the registry passes every check."""

import pytest

from tests.bijector_checks import CHECKS
from tests.bijector_registry import REGISTRY


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", REGISTRY)
def test_bijector(name, check):
    CHECKS[check](REGISTRY[name])

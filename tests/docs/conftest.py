"""Places to try the commands of the documents in."""

import pytest
from documents import place_in


@pytest.fixture
def place(tmp_path):
    """A fresh place for one test."""
    return place_in(tmp_path)


@pytest.fixture(scope="module")
def lasting_place(tmp_path_factory):
    """A place that the tests of one module share."""
    return place_in(tmp_path_factory.mktemp("lasting"))

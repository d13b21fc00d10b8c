"""The closed list of kinds."""

from __future__ import annotations

import re

import pytest

from colony.journal import KINDS, Kind, check, upcast
from colony.primitives.errors import JournalError

KINDS_HERE = {"test.scored/1": Kind("A score.", {"score": (int, float), "who": str, "passed": bool})}
GOOD = {"score": 1.5, "who": "me", "passed": True}


def test_every_kind_is_a_versioned_name_with_a_sentence():
    """Each kind has a name that records can carry, a documentation sentence, and typed fields."""
    for name, kind in KINDS.items():
        assert re.fullmatch(r"[a-z]+\.[a-z_]+/[1-9][0-9]*", name)
        assert kind.about[0].isupper()
        assert kind.about.endswith(".")
        assert all(isinstance(field, str) for field in kind.fields)


def test_the_list_cannot_be_changed():
    """The list is closed at run time."""
    with pytest.raises(TypeError):
        KINDS["test.new/1"] = Kind("New.", {})


def test_a_body_with_its_fields_passes():
    """Required fields of the right types pass, further fields too."""
    check("test.scored/1", GOOD | {"more": []}, kinds=KINDS_HERE)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ({"who": "me", "passed": True}, "'score' of a test.scored/1 must be int or float, and is missing"),
        (GOOD | {"score": "1"}, "'score' of a test.scored/1 must be int or float, and is str"),
        (GOOD | {"score": True}, "'score' of a test.scored/1 must be int or float, and is bool"),
        (GOOD | {"who": None}, "'who' of a test.scored/1 must be str, and is NoneType"),
        (GOOD | {"passed": 1}, "'passed' of a test.scored/1 must be bool, and is int"),
    ],
)
def test_a_body_without_its_fields_is_refused(body, what):
    """The refusal names the field, what it must be, and what it is."""
    with pytest.raises(JournalError, match=re.escape(what)):
        check("test.scored/1", body, kinds=KINDS_HERE)


def test_an_unknown_kind_is_refused():
    """A kind outside the list, or of another version, is refused."""
    with pytest.raises(JournalError, match="not in the list"):
        check("test.scored/2", GOOD, kinds=KINDS_HERE)


def test_old_bodies_become_new_step_by_step():
    """Upcasts are applied until the kind is current; a current one stays as it is."""
    upcasts = {
        "test.scored/1": lambda body: ("test.scored/2", {"value": body["score"]}),
        "test.scored/2": lambda body: ("test.scored/3", {"value": [body["value"]]}),
    }
    assert upcast("test.scored/1", {"score": 2}, upcasts=upcasts) == ("test.scored/3", {"value": [2]})
    assert upcast("test.other/1", {"a": 1}, upcasts=upcasts) == ("test.other/1", {"a": 1})

"""Inline hints: `@provider.tier` in the text of a task, or given by the caller, resolved by the routing table.

A hint says which model is wished for. Whether the wish is followed is the router's business: it never raises a tier
above the ceiling, and never sends a secure task away. A word after @ without a dot is no hint (`@ralph` is an agent).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from colony.primitives.errors import UsageError

_NAME: Final = r"[a-z][a-z0-9_-]*"
_HINT: Final = re.compile(rf"(?<![\w.@/])@({_NAME}\.{_NAME})(?![\w@/-]|\.\w)", re.ASCII | re.IGNORECASE)


def hints_in(text: str, known: Iterable[str]) -> tuple[str, ...]:
    """The hints of a text in order, lower case, without the @ and without repeats.

    Only what begins like a known hint is one: `@anthropic.pln` is, a misspelt one, and `@pytest.fixture` is not.
    """
    providers = {hint.partition(".")[0] for hint in known}
    found = dict.fromkeys(match.lower() for match in _HINT.findall(text))
    return tuple(hint for hint in found if hint.partition(".")[0] in providers)


def resolved(hint: str, known: Mapping[str, str]) -> str:
    """The name of the model that a hint, with or without its @, stands for.

    Raises:
        UsageError: the hint is unknown; the message lists the known ones.

    """
    name = hint.removeprefix("@").lower()
    if name not in known:
        listed = ", ".join(f"@{each}" for each in sorted(known)) or "none"
        raise UsageError(f"@{name}: unknown hint; known are: {listed}; add your own under [hints] in routing.toml")
    return known[name]

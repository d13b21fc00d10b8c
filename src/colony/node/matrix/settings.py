"""The settings of a repository's matrix: `colony.toml` at its root, which people edit and git versions.

    [roles]                       # identities and what they may do: owner, human or agent
    "did:key:z..." = "owner"

    [names]                       # what tables call them
    "did:key:z..." = "ada"

    [matrix]
    remote = "origin"             # where claims are agreed on and `sync` goes; none: this repository alone
    lease_seconds = 3600
    ceiling = "T3"                # the highest tier that a claim's lease allows

An identity that is not named is an agent; without any roles everybody is an owner. Each replica believes its own copy,
so whoever edits theirs persuades nobody else. What this file does not do: say which model serves which tier; that is
`routing.toml` beside it.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from colony.primitives.errors import UsageError
from colony.primitives.limits import PROBLEM_FILE_BYTES_MAX
from colony.tasks.state.roles import Roles

SETTINGS: Final = "colony.toml"
_LEASE_SECONDS_MAX: Final = 30 * 86_400


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a matrix is agreed on, and how long and how high a claim reaches."""

    remote: str | None = None
    lease_seconds: Annotated[int, Meta(ge=1, le=_LEASE_SECONDS_MAX)] = 3600
    ceiling: Annotated[str, Meta(pattern="^T[0-5]$")] = "T3"


class MatrixSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything in `colony.toml`."""

    roles: Roles
    names: dict[str, str]
    matrix: Settings

    def name(self, did: str) -> str:
        """What a table calls an identity: its name, else the end of its key."""
        return self.names.get(did) or f"…{did[-8:]}"


def read_settings(root: Path | None) -> MatrixSettings:
    """The settings at the root of a work tree; the defaults where there is no file, or no work tree.

    Raises:
        UsageError: the file cannot be read; names the key at fault.

    """
    file = root / SETTINGS if root is not None else None
    if file is None or not file.exists():
        return MatrixSettings(roles=Roles.of({}), names={}, matrix=Settings())
    try:
        with file.open("rb") as source:
            text = source.read(PROBLEM_FILE_BYTES_MAX)
        return _settings(tomllib.loads(text.decode()))
    except (UsageError, OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise UsageError(f"{file}: {error}") from None


def _settings(found: dict[str, Any]) -> MatrixSettings:
    unknown = set(found) - {"roles", "names", "matrix"}
    if unknown:
        raise UsageError(f"no section [{min(unknown)}]; there are [roles], [names] and [matrix]")
    return MatrixSettings(
        roles=Roles.of(found.get("roles", {})),
        names=msgspec.convert(found.get("names", {}), dict[str, str]),
        matrix=msgspec.convert(found.get("matrix", {}), Settings),
    )


def first_settings(did: str, name: str) -> str:
    """The text of a first `colony.toml`: whoever makes it owns the matrix."""
    return f"""# The task matrix of this repository: who may do what. See `colony matrix --help`.

[roles]                        # owner, human or agent; whoever is not named is an agent
"{did}" = "owner"

[names]
"{did}" = {msgspec.json.encode(name).decode()}

[matrix]
# remote = "origin"            # where claims are agreed on; without it, in this repository alone
lease_seconds = 3600
ceiling = "T3"                 # the highest tier that a claim allows its agent
"""

"""Who may do what to a task: three roles, and the table that gives them to identities.

A record by somebody whose role does not allow it is kept like any other, but changes nothing and is reported. What this
file does not do: read the table from a file, or decide about anything but tasks.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

import msgspec

from colony.primitives.errors import UsageError

Role: TypeAlias = Literal["owner", "human", "agent"]
Act: TypeAlias = Literal[
    "add", "set", "raise", "claim", "steal", "step", "release", "fail", "done", "override", "reopen",
    "hold", "lift", "lift_any", "delete",
]  # fmt: skip

_AGENT: Final[frozenset[Act]] = frozenset({"add", "set", "claim", "steal", "step", "release", "fail", "done"})
_HUMAN: Final[frozenset[Act]] = _AGENT | {"raise", "override", "reopen", "hold", "lift", "delete"}

ACTS: Final[Mapping[Role, frozenset[Act]]] = MappingProxyType(
    {"owner": _HUMAN | {"lift_any"}, "human": _HUMAN, "agent": _AGENT}
)
"""What each role may do.

`raise`: give a task more stars, heat, complexity or size, or make it less secure; `override`: step, release or fail
what another holds, and end dependencies that a human made; `lift_any`: end the hold of an owner too. Everybody may
link.
"""


class Roles(msgspec.Struct, frozen=True):
    """The roles of identities (did:key); `default` is that of whoever is not named."""

    by_identity: Mapping[str, Role] = MappingProxyType({})
    default: Role = "owner"

    @classmethod
    def of(cls, table: Mapping[str, str]) -> Roles:
        """Return the roles of a table. An empty one trusts everybody; once there is one, strangers are agents.

        Raises:
            UsageError: a role has no such name.

        """
        try:
            known = msgspec.convert(dict(table), dict[str, Role])
        except msgspec.ValidationError as error:
            raise UsageError(f"the table of roles: {error}; there are {', '.join(ACTS)}") from error
        return cls(MappingProxyType(known), "agent" if table else "owner")

    def role(self, author: str) -> Role:
        """Return the role of an identity."""
        return self.by_identity.get(author, self.default)

    def may(self, author: str, act: Act) -> bool:
        """Tell whether an identity may do something."""
        return act in ACTS[self.by_identity.get(author, self.default)]

"""Exclusive claims: a ref for each claimed task, changed by compare-and-swap where all who share the work agree.

`refs/colony/claims/<task>` leads to a signed text: who has the task, with which fence, until when. A fence is a number
that grows with every change of hands, so whoever comes back late is told apart. A lease that has ended lets others take
the task; so does a task that was assigned and not begun, if somebody asks for that (a steal). What this file does not
do: know which tasks there are (the caller's survey does), write records, or choose what to claim (stealing.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

import msgspec

from colony.primitives.clock import Clock
from colony.primitives.encoding import canonical
from colony.primitives.errors import ClaimError, UsageError
from colony.primitives.keys import Key, verify
from colony.primitives.limits import CLAIM_BYTES_MAX, CLAIM_SECONDS_MAX
from colony.tasks.shards.chains import Fault
from colony.tasks.shards.git import Git, RefChange
from colony.tasks.shards.places import Place, seen
from colony.tasks.task import checked_id

CLAIMS: Final = "refs/colony/claims/"
Scope = tuple[str, ...]


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """Who has a task: `agent` of the replica `did`, under `fence`, with models up to `tier_max`, in `scope`.

    `renewed` and `expires` are milliseconds since 1970 by the clock of whoever has it; it `is_working` once begun.
    """

    task: str
    fence: int
    epoch: int
    agent: str
    did: str
    tier_max: int
    scope: Scope
    renewed: int
    expires: int
    is_working: bool = False

    @property
    def ref(self) -> str:
        """Where it stands."""
        return CLAIMS + self.task


class Held(NamedTuple):
    """A claim and the object that says so, by which a change compares."""

    claim: Claim
    oid: str

    @property
    def end(self) -> RefChange:
        """The change that gives the task back, or ends it, if it is still held."""
        return RefChange(self.claim.ref, self.oid, None)


class Standing(NamedTuple):
    """The claims at one moment; `unreadable` are objects that are no claim, by task, and `faults` say why."""

    claims: Mapping[str, Held]
    unreadable: Mapping[str, str]
    faults: tuple[Fault, ...]


class Wanted(NamedTuple):
    """A task that may be claimed, as the records have it."""

    task: str
    epoch: int
    fence: int
    scope: Scope = ()


class Taken(NamedTuple):
    """The claims that were won, and why the others were not."""

    held: list[Held]
    refused: dict[str, str]


Survey = Callable[[Sequence[str]], tuple[Standing, Mapping[str, Wanted | str]]]
"""Looks at one moment: the claims, and of tasks how they may be claimed, or why not, by the newest records."""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of claims.

    For others a lease has ended only `skew_seconds` after its end, since clocks differ; a task that was assigned and
    not begun can be stolen after `idle_seconds`; a claim allows models up to `tier_max`; `overlaps` says whether two
    scopes touch.
    """

    lease_seconds: float = 900.0
    skew_seconds: float = 60.0
    idle_seconds: float = 300.0
    tier_max: int = 5
    overlaps: Callable[[Scope, Scope], bool] = lambda _one, _other: False

    def __post_init__(self) -> None:
        if not 0 < self.lease_seconds <= CLAIM_SECONDS_MAX or self.skew_seconds < 0 or self.idle_seconds < 0:
            raise UsageError(f"a lease lasts up to {CLAIM_SECONDS_MAX} seconds, and no time is below zero")

    def has_ended(self, claim: Claim, now_milliseconds: int) -> bool:
        """Tell whether the lease of another has surely ended."""
        return now_milliseconds > claim.expires + self.skew_seconds * 1000

    def is_idle(self, claim: Claim, now_milliseconds: int) -> bool:
        """Tell whether the task was assigned and then left alone."""
        return not claim.is_working and now_milliseconds > claim.renewed + self.idle_seconds * 1000


class Claims:
    """The claims of one agent at one place."""

    def __init__(
        self, git: Git, place: Place, key: Key, clock: Clock, *, agent: str, terms: Terms | None = None
    ) -> None:
        self.terms: Final = terms or Terms()
        self._git = git
        self._place = place
        self._key = key
        self._clock = clock
        self._agent = agent
        self._known: dict[str, Claim | str] = {}
        """What objects hold: a claim, or why it is none."""

    def look(self) -> Standing:
        """Return all claims there are.

        Raises:
            RepositoryError: the place cannot be read.

        """
        return self.standing(seen(self._place, self._git, CLAIMS + "*"))

    def standing(self, refs: Mapping[str, str]) -> Standing:
        """Return the claims among refs whose objects are in this repository."""
        refs = {ref: oid for ref, oid in refs.items() if ref.startswith(CLAIMS)}
        self._read(refs)
        claims, unreadable, faults = {}, {}, []
        for ref, oid in refs.items():
            task, found = ref.removeprefix(CLAIMS), self._known[oid]
            if isinstance(found, Claim) and found.task == task:
                claims[task] = Held(found, oid)
            else:
                unreadable[task] = oid
                what = found if isinstance(found, str) else f"a claim on another task, {found.task}"
                faults.append(Fault(ref, None, what))
        return Standing(claims, unreadable, tuple(faults))

    def take(self, tasks: Sequence[str], survey: Survey, *, is_steal: bool = False) -> Taken:
        """Claim tasks, each for itself; who already holds one holds it on, renewed.

        All this is looked at again once the claims stand: whoever finished a task wrote so before the claim
        on it ended, so what was stale the first time is found, and the claim is given back.

        Raises:
            RepositoryError: the place cannot be read, or does not allow it.

        """
        standing, surveyed = survey([checked_id(task) for task in tasks])
        refused: dict[str, str] = {}
        bids: dict[str, tuple[Claim, str | None]] = {}
        for task, found in surveyed.items():
            reason = found if isinstance(found, str) else self._objection(found, standing, is_steal=is_steal)
            if reason is not None or isinstance(found, str):
                refused[task] = reason or ""
            else:
                bids[task] = self._bid(found, standing)
        won = self._change(list(bids.values())) if bids else []
        quicker = bids.keys() - {held.claim.task for held in won}
        refused |= dict.fromkeys(sorted(quicker), "somebody was quicker")
        return self._confirmed(won, survey, refused)

    def renew(self, held: Held, *, is_working: bool = True) -> Held:
        """Return the same claim with a new lease.

        Raises:
            ClaimError: the task is another's by now. RepositoryError: the place cannot be written to.

        """
        won = self._change([(self._leased(held.claim, is_working=is_working), held.oid)])
        if not won:
            raise self._lost(held)
        return won[0]

    def release(self, held: Iterable[Held]) -> set[str]:
        """End claims, and return the tasks for which that was still to be done."""
        ended = self._place.change_each([one.end for one in held])
        return {ref.removeprefix(CLAIMS) for ref in ended}

    def check(self, held: Iterable[Held]) -> None:
        """See to it that these claims still stand.

        Raises:
            ClaimError: one does not: what was done under it comes too late.

        """
        now = self._place.look(CLAIMS + "*")
        for one in held:
            if now.get(one.claim.ref) != one.oid:
                raise self._lost(one)

    def _lost(self, held: Held) -> ClaimError:
        claim = held.claim
        return ClaimError(f"task {claim.task}: the claim of {claim.agent}, fence {claim.fence}, is stale; it went on")

    def _objection(self, wanted: Wanted, standing: Standing, *, is_steal: bool) -> str | None:
        """Return why a task may not be claimed by us now."""
        now = self._clock.wall_milliseconds()
        current = standing.claims.get(wanted.task)
        if current and not self._is_ours(current.claim) and not self.terms.has_ended(current.claim, now):
            if not is_steal:
                return f"{current.claim.agent} has it until {current.claim.expires} ms, fence {current.claim.fence}"
            if not self.terms.is_idle(current.claim, now):
                return f"{current.claim.agent} is at work on it"
        return self._collision(wanted.task, wanted.scope, standing)

    def _collision(self, task: str, scope: Scope, standing: Standing) -> str | None:
        """Return whose active claim is on paths of this scope."""
        now = self._clock.wall_milliseconds()
        for other, held in standing.claims.items():
            is_active = not self.terms.has_ended(held.claim, now) and not self._is_ours(held.claim)
            if other != task and is_active and self.terms.overlaps(scope, held.claim.scope):
                return f"its scope touches that of {other}, which {held.claim.agent} has"
        return None

    def _is_ours(self, claim: Claim) -> bool:
        return (claim.did, claim.agent) == (self._key.did, self._agent)

    def _bid(self, wanted: Wanted, standing: Standing) -> tuple[Claim, str | None]:
        """Return the claim to make, and the object that it replaces."""
        current = standing.claims.get(wanted.task)
        before = current.oid if current else standing.unreadable.get(wanted.task)
        last_fence = max(wanted.fence, current.claim.fence if current else 0)
        is_renewal = current is not None and self._is_ours(current.claim) and wanted.fence <= current.claim.fence
        claim = Claim(
            task=wanted.task,
            fence=last_fence if is_renewal else last_fence + 1,
            epoch=wanted.epoch,
            agent=self._agent,
            did=self._key.did,
            tier_max=self.terms.tier_max,
            scope=wanted.scope,
            renewed=0,
            expires=0,
        )
        return self._leased(claim, is_working=bool(is_renewal and current and current.claim.is_working)), before

    def _leased(self, claim: Claim, *, is_working: bool) -> Claim:
        now = self._clock.wall_milliseconds()
        expires = now + int(self.terms.lease_seconds * 1000)
        return msgspec.structs.replace(claim, renewed=now, expires=expires, is_working=is_working)

    def _change(self, bids: Sequence[tuple[Claim, str | None]]) -> list[Held]:
        """Return the bids that won."""
        oids = self._git.write([_signed(claim, self._key) for claim, _ in bids])
        changes = [RefChange(claim.ref, old, oid) for (claim, old), oid in zip(bids, oids, strict=True)]
        changed = self._place.change_each(changes)
        return [Held(claim, oid) for (claim, _), oid in zip(bids, oids, strict=True) if claim.ref in changed]

    def _confirmed(self, won: list[Held], survey: Survey, refused: dict[str, str]) -> Taken:
        """Give back what turns out not to be ours to claim."""
        if not won:
            return Taken([], refused)
        standing, found = survey([held.claim.task for held in won])
        kept = []
        for held in won:
            reason = self._second_thought(held, found[held.claim.task], standing)
            if reason is None:
                kept.append(held)
            else:
                refused[held.claim.task] = reason
        self.release([held for held in won if held not in kept])
        return Taken(kept, refused)

    def _second_thought(self, held: Held, found: Wanted | str, standing: Standing) -> str | None:
        if isinstance(found, str):
            return found
        now = standing.claims.get(held.claim.task)
        if now is None or now.oid != held.oid:
            return "somebody was quicker"
        if (found.epoch, found.fence) > (held.claim.epoch, held.claim.fence) or found.epoch != held.claim.epoch:
            return "it has changed hands meanwhile; try again"
        return self._collision(held.claim.task, held.claim.scope, standing)

    def _read(self, refs: Mapping[str, str]) -> None:
        """Learn what objects hold that were not seen before; what is no longer referred to is forgotten."""
        self._known = {oid: self._known[oid] for oid in refs.values() if oid in self._known}
        new = sorted({oid for oid in refs.values() if oid not in self._known})
        contents = self._git.objects(new, output_bytes_max=(CLAIM_BYTES_MAX + 100) * len(new)) if new else []
        for oid, content in zip(new, contents, strict=True):
            self._known[oid] = _read(content)


def _signed(claim: Claim, key: Key) -> bytes:
    fields = msgspec.to_builtins(claim)
    signature = key.sign(sha256(canonical({"claim": fields})).digest())
    return canonical({"claim": fields, "signature": signature.hex()}) + b"\n"


class _Signed(msgspec.Struct, forbid_unknown_fields=True):
    claim: Claim
    signature: str


def _read(content: bytes | None) -> Claim | str:
    """Return the claim that an object holds, or why it is none."""
    try:
        signed = msgspec.json.decode(content or b"", type=_Signed)
        digest = sha256(canonical({"claim": msgspec.to_builtins(signed.claim)})).digest()
        if verify(signed.claim.did, digest, bytes.fromhex(signed.signature)):
            return signed.claim
    except (msgspec.DecodeError, ValueError):
        return "no claim"
    return "a forged claim: its signature is not by the replica that it names"

"""The law fuzzer: it finds nothing wrong with the fold, and finds what is wrong with every wrong rule."""

from __future__ import annotations

from hashlib import sha256

import msgspec
import pytest

from colony.tasks.state import edges, folding
from colony.tasks.state.laws import laws
from colony.tasks.state.matrix_state import MatrixState
from colony.tasks.state.records import Deletion, Hold, Move
from colony.tasks.task import State

# The seed's precedence of states when two shards disagree; pending and done have none in it.
PRECEDENCE = dict(zip("+-!#_?~%$&", range(10), strict=True))


class SeedsMerge:
    """The seed's rules taken literally: maxima, an average of heats, a precedence of states; a union of the rest."""

    def __init__(self, roles):
        self.roles = roles
        self.tasks = {}

    def apply(self, records):
        for name, theirs in MatrixState.of(records, roles=self.roles).tasks.items():
            seen = msgspec.structs.replace(theirs, heat=theirs.heat or 0.0)
            ours = self.tasks.get(name)
            self.tasks[name] = seen if ours is None else self.merged(ours, seen)

    def merged(self, ours, theirs):
        top = max(ours, theirs, key=lambda task: PRECEDENCE[task.state.value])
        return msgspec.structs.replace(
            ours,
            priority=max(ours.priority, theirs.priority),
            stars=max(ours.stars, theirs.stars),
            heat=(ours.heat + theirs.heat) / 2,
            state=top.state,
            agent=ours.agent if ours.state is State.AGENT_EXECUTING else theirs.agent,
        )

    @property
    def canonical(self):
        kept = ((t.id, t.priority, t.stars, t.heat, t.state.value, t.agent) for t in self.tasks.values())
        return repr(sorted(kept)).encode()


class LastToArrive(MatrixState):
    """A fold that takes records as they come."""

    def _refold(self, name):
        self._tasks[name] = folding._Fold(name, self.roles).of(list(self._said[name])).task
        return True

    @property
    def canonical(self):
        return repr(sorted(self._tasks.items(), key=lambda item: item[0])).encode()


def test_the_fold_keeps_every_law():
    """Hundreds of random triples of shards, and not one violation; the same seed finds the same."""
    report = laws(400, seed=11)
    assert (report.triples, report.violations, report.first) == (400, 0, "")
    assert report.records > 4_000
    assert laws(20, seed=5) == laws(20, seed=5)


@pytest.mark.parametrize("wrong", [SeedsMerge, LastToArrive])
def test_a_merge_that_depends_on_the_order_is_found_out(wrong):
    """The seed's own rules, and a fold in order of arrival, break the algebraic law in many triples."""
    report = laws(60, seed=1, replica=wrong)
    assert report.violations > 30
    assert {"order", "grouping"} <= report.broken.keys()
    assert "triple" in report.first


def last_move_counts(added, moves, completions, may_override, note):
    """A life by last writer wins: what the last move says is where the task stands."""
    life = folding.__dict__["true_live"](added, moves, completions, may_override, note)
    if not moves:
        return life
    last = moves[-1][1]
    states = {"done": State.DONE, "fail": State.FAILED, "release": State.PENDING, "reopen": State.PENDING}
    return life._replace(
        state=states.get(last.move, last.state), agent=last.agent, epoch=last.epoch, fence=last.fence, completions=()
    )


def last_hold_counts(said, roles):
    """A hold by last writer wins: who lifts last has lifted, what he knew of or not."""
    holds = [(stamp.id, item.held) for stamp, item in said if isinstance(item, Hold)]
    return (holds[-1][0],) if holds and holds[-1][1] else ()


def any_claim_counts(added, moves, completions, may_override, note):
    """A life in which the last claim has the task, whatever its fence."""
    life = folding.__dict__["true_live"](added, moves, completions, may_override, note)
    claims = [item for _, item in moves if isinstance(item, Move) and item.move in ("claim", "steal")]
    return life._replace(agent=claims[-1].agent) if claims and life.state is not State.DONE else life


@pytest.mark.parametrize(
    ("law", "place", "name", "wrong"),
    [
        ("completion", folding, "live", last_move_counts),
        ("fence", folding, "live", last_move_counts),
        ("hands", folding, "live", any_claim_counts),
        ("hold", folding, "_holds", last_hold_counts),
        ("role", folding, "is_raised", lambda *_: False),
        ("deletion", folding, "_is_deleted", lambda said: bool(said) and isinstance(said[-1][1], Deletion)),
        ("removal", edges.EdgeSet, "_spoken", lambda self, pair, kind: self._said[kind].get(pair, ())),
        ("circle", edges, "closing", lambda *_: []),
        ("needless", edges, "closing", lambda pairs, _rank: sorted(pairs)[-1:]),
        ("clock", MatrixState, "root", property(lambda self: sha256(self.canonical).hexdigest())),
    ],
)
def test_each_law_of_meaning_is_found_broken_where_its_rule_is_taken_out(monkeypatch, law, place, name, wrong):
    """With the plausible wrong rule in place of ours, the judge names the law that it breaks."""
    monkeypatch.setattr(folding, "true_live", folding.live, raising=False)
    monkeypatch.setattr(place, name, wrong)
    assert law in laws(300, seed=3).broken

"""Many runs from many seeds, each struck by faults, each to come to the same end.

Run it with `python -m colony.testing.simulate --seeds 20`. For each seed a small deterministic problem is solved
undisturbed. The same run is then made to die after a random append (its journal ends there), is resumed, stopped in
the middle of an evaluation, and resumed once more, each time with another number of workers; its state hash must be
that of the undisturbed run. Then bytes of the finished journal are flipped or cut off: every reader must refuse it as
corrupt, or the change must be without effect, and nobody may write to the file.
What this file does not do: test isolation; evaluators run inline.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from colony.journal import Entry
from colony.journal.sqlite import SqliteLog, SqliteReader
from colony.node.api import conclude
from colony.node.home import Home, RunFolder
from colony.node.replaying import audit_record, replay
from colony.node.result import Result
from colony.node.resuming import Retracing
from colony.node.settings import Settings
from colony.node.solving import Solving
from colony.primitives.clock import SystemClock
from colony.primitives.errors import ColonyError, InterruptedRunError, JournalCorruptError, JournalError
from colony.problems.metric import Budget
from colony.problems.problem import Problem
from colony.testing.inline import InlineWorkshop

SEEDS_DEFAULT = 20
FAULTS_PER_SEED = 4
WORKERS = (1, 2, 4)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one seed went. `faults` is empty where everything held; `course` says what was done."""

    seed: int
    course: str
    faults: tuple[str, ...]

    def line(self) -> str:
        """One line for a log."""
        return f"seed {self.seed}: {self.course}: {'; '.join(self.faults) or 'ok'}"


# -- problems -------------------------------------------------------------------------------------------------------


def _bowl(x: float, y: float) -> float:
    return (x - 1.3) ** 2 + (y - 2.2) ** 2


def _steps(n: int, m: int) -> int:
    return (7 * n + 3 * m) % 101 - abs(n - 17)


def _ridge(x: float, y: float) -> float:
    if x * y > 20:
        raise ArithmeticError("this corner always fails")
    return x + y


def _outside(values: Any) -> float:
    """How far a point is outside the circle of radius 4 around the origin."""
    return float(values["x"] ** 2 + values["y"] ** 2 - 16)


def problems() -> tuple[Problem, ...]:
    """A smooth one, one of whole numbers where candidates repeat, and one with a constraint and failures."""
    square = {"x": (0.0, 5.0), "y": (0.0, 5.0)}
    grid = {"n": (0, 40), "m": (0, 40)}
    return (
        Problem(name="bowl", space=square, evaluate=_bowl, minimise="depth"),  # type: ignore[arg-type]  # a space in short
        Problem(name="steps", space=grid, evaluate=_steps, maximise="step"),  # type: ignore[arg-type]
        Problem(name="ridge", space=square, evaluate=_ridge, maximise="sum", constraints={"circle": _outside}),  # type: ignore[arg-type]
    )


# -- one run --------------------------------------------------------------------------------------------------------


class Stopper:
    """Watches a run and stops it, as Ctrl-C would, at a given request of its evaluators; never, where that is None."""

    def __init__(self, at_request: int | None = None) -> None:
        self._at = at_request
        self._count = 0
        self._stop: Callable[[], None] = lambda: None

    def phase(self, name: str, run: Solving) -> None:
        """From the search on there is something to stop."""
        if name == "search":
            loop, running = asyncio.get_running_loop(), run.run
            assert running is not None, "a run that searches is equipped"
            self._stop = lambda: _quietly(loop, lambda: running.stop("interrupted"))

    def before(self, _request: Any) -> None:
        """Count one request."""
        self._count += 1
        if self._count == self._at:
            self._stop()


def _quietly(loop: asyncio.AbstractEventLoop, what: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(what)


@dataclass(frozen=True, slots=True)
class Course:
    """One problem under one seed, run or resumed with any number of workers in a home of its own."""

    problem: Problem
    settings: Settings
    home: Home

    def run(self, stopper: Stopper | None = None) -> Result:
        """The run from its beginning, undisturbed where nothing stops it.

        Raises:
            InterruptedRunError: the stopper stopped it.

        """
        return self.start(self.home.create_run(self.problem.name, SystemClock()), stopper or Stopper())

    def start(self, folder: RunFolder, stopper: Stopper) -> Result:
        """The run from its beginning, in a folder that exists.

        Raises:
            InterruptedRunError: the stopper stopped it.

        """
        return conclude(self.open(folder, self.settings.workers, stopper), stopper, report=False)

    def resume(self, folder: RunFolder, workers: int = 1, stopper: Stopper | None = None) -> Result:
        """Go on with what is in the folder.

        Raises:
            InterruptedRunError: the stopper stopped it.

        """
        stopper = stopper or Stopper()
        solving = self.open(folder, workers, stopper)
        try:
            standing = Retracing(solving).lead()
        except BaseException:
            solving.close()
            raise
        return conclude(solving, stopper, standing, report=False)

    def open(self, folder: RunFolder, workers: int = 1, stopper: Stopper | None = None) -> Solving:
        """The run's engine on the journal in a folder; to be closed."""
        workshop: Any = InlineWorkshop(self.problem, workers, (stopper or Stopper()).before)
        return Solving(self.problem, self.settings, folder, self.home.replica_key(), SystemClock(), workshop)

    def cut(self, folder: RunFolder, records: Sequence[Entry], count: int) -> RunFolder:
        """What a machine that died after `count` records has on its disk: a run of the same name, in another home."""
        place = RunFolder(self.home.path / f"cut-{count}" / folder.name)
        shutil.rmtree(place.path, ignore_errors=True)
        place.path.mkdir(parents=True)
        with SqliteLog(place.journal, self.home.replica_key().child(f"{folder.name}/journal")) as log:
            log.append(list(records[:count]), expected=0)
        return place


def appends(records: Sequence[Entry]) -> list[int]:
    """After how many records a run may have died: where an append ended, from the examination of the evaluator on."""
    inside = {"experiment.decided/1", "candidate.claimed/1"}
    kinds = [entry.record.kind for entry in records]
    first = kinds.index("evaluator.attacked/1") + 1
    return [
        n
        for n in range(first, len(kinds))
        if kinds[n] not in inside and not kinds[n - 1] == kinds[n] == "experiment.proposed/1"
    ]


# -- one seed -------------------------------------------------------------------------------------------------------


def simulate(seed: int, place: Path) -> Outcome:
    """Run, disturb, resume and damage under one seed, in the empty folder `place`."""
    rng = random.Random(seed)  # noqa: S311  # faults, not secrets
    problem = rng.choice(problems())
    budget = Budget(evaluations=rng.randrange(60, 400))
    workers, agents = rng.choice(WORKERS), rng.randrange(1, 12)
    settings = Settings(seed=seed, workers=workers, agents=agents, budget=budget, deterministic=True)
    course = Course(problem, settings, Home(place, {"COLONY_KEYS": str(place / "keys")}))
    result = course.run()
    folder = RunFolder(Path(result.folder))
    records = list(SqliteReader(folder.journal).read())
    deaths = rng.sample(appends(records), k=min(2, len(appends(records))))
    stop = rng.randrange(1, 200)
    said = f"{problem.name}, {agents} agents, died after {deaths} of {len(records)} records, stopped at request {stop}"
    wanted = replay(folder).state_hash
    faults = [] if wanted == result.state_hash else ["a replay gives another state than the run reported"]
    for count in deaths:
        faults += _resumed(course, course.cut(folder, records, count), rng, stop, wanted)
    return Outcome(seed, said, (*faults, *_damaged(folder, rng, wanted)))


def _resumed(course: Course, cut: RunFolder, rng: random.Random, stop: int, wanted: str) -> list[str]:
    """What went wrong when the run was taken up again, stopped, and taken up once more."""
    try:
        with suppress(InterruptedRunError):
            course.resume(cut, rng.choice(WORKERS), Stopper(stop))
        course.resume(cut, rng.choice(WORKERS))
    except ColonyError as error:
        return [f"{cut.path.parent.name}: {type(error).__name__}: {error}"]
    found = replay(cut)
    faults = [] if found.state_hash == wanted else [f"state {found.state_hash[:12]}, not {wanted[:12]}"]
    if not found.matches or not audit_record(cut)["ok"]:
        faults.append("replay or audit failed")
    return [f"{cut.path.parent.name}: {fault}" for fault in faults]


def _damaged(folder: RunFolder, rng: random.Random, wanted: str) -> list[str]:
    """Damage copies of a journal; each must be refused with its place, or read as if nothing had happened."""
    faults = []
    for _ in range(FAULTS_PER_SEED):
        copy = RunFolder(folder.path.with_name("damaged"))
        shutil.rmtree(copy.path, ignore_errors=True)
        shutil.copytree(folder.path, copy.path)
        what, bytes_before = _damage(copy.journal, rng)
        try:
            state = replay(copy).state_hash
        except JournalError as error:
            faults += [] if isinstance(error, JournalCorruptError) else [f"{what}: {type(error).__name__}: {error}"]
        else:
            faults += [] if state == wanted else [f"{what}: believed"]
        if copy.journal.read_bytes() != bytes_before:
            faults.append(f"{what}: somebody wrote to the damaged journal")
    return faults


def _damage(file: Path, rng: random.Random) -> tuple[str, bytes]:
    data = bytearray(file.read_bytes())
    at = rng.randrange(len(data))
    if rng.random() < 0.5:
        data[at] ^= 1 << rng.randrange(8)
        what = f"byte {at} of {len(data)} flipped"
    else:
        del data[at:]
        what = f"cut to {at} bytes"
    file.write_bytes(data)
    return what, bytes(data)


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate each seed, print a line for each, and return 1 where one failed."""
    parser = argparse.ArgumentParser(prog="python -m colony.testing.simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS_DEFAULT, help="how many seeds (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (default: %(default)s)")
    options = parser.parse_args(arguments)
    failed = 0
    for seed in range(options.first, options.first + options.seeds):
        with tempfile.TemporaryDirectory(prefix="colony-simulate-") as place:
            outcome = simulate(seed, Path(place))
        failed += bool(outcome.faults)
        sys.stdout.write(outcome.line() + "\n")
        sys.stdout.flush()
    sys.stdout.write(f"{options.seeds - failed} of {options.seeds} seeds held\n")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())

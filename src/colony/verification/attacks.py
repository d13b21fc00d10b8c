"""Attack the evaluator before a search: write the cheats ourselves and see whether they lose.

Each cheat goes the way every candidate goes (frozen-text and space check, sandbox, judgement). A cheat *wins* where it
comes out as a feasible score that beats the seed. What stopped a losing cheat is part of the report. This cannot prove
an evaluator sound; it finds the holes that evaluators of the field are known to have.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from colony.problems.candidate import Candidate
from colony.problems.evaluation import Evaluation
from colony.problems.problem import Problem
from colony.problems.program import Program, join_regions
from colony.problems.proposal import Proposal
from colony.problems.space import Choice, Float, Integer, Permutation, Variable
from colony.verification.evaluator import Evaluator, ParameterEvaluator

HUGE = 1e300
SAMPLES = 4


@dataclass(frozen=True, slots=True)
class Attack:
    """One cheat and how it went. `stopped_by`: what refused it, or "" where it won or did not beat the seed."""

    name: str
    won: bool
    stopped_by: str = ""
    detail: str = ""

    def as_record(self) -> dict[str, Any]:
        """The JSON-able form."""
        return {"name": self.name, "won": self.won, "stopped_by": self.stopped_by, "detail": self.detail}


@dataclass(frozen=True, slots=True)
class AttackReport:
    """All attacks, the evaluations they cost, and whether any won."""

    attacks: tuple[Attack, ...]
    evaluations: int
    anything_scored: bool = False

    @property
    def winners(self) -> list[str]:
        """The names of the cheats that won."""
        return [a.name for a in self.attacks if a.won]


def attack(evaluator: Evaluator, problem: Problem, seed_value: float | None) -> AttackReport:
    """Attack with every cheat that fits the problem's kind of candidate."""
    if problem.space is not None:
        assert isinstance(evaluator, ParameterEvaluator), "parameters go to a parameter evaluator"
        return _attack_parameters(evaluator, problem, seed_value)
    return _attack_program(evaluator, problem, seed_value)


# -- parameters -----------------------------------------------------------------------------------------------------


def _attack_parameters(evaluator: ParameterEvaluator, problem: Problem, seed_value: float | None) -> AttackReport:
    assert problem.space is not None
    cheats = dict(_value_cheats(problem))
    faults = {name: problem.space.faults(values) for name, values in cheats.items()}
    results = evaluator.raw([{"op": "attack", "values": values} for values in cheats.values()])
    attacks = []
    for (name, _values), result in zip(cheats.items(), results, strict=True):
        if result.status == "ok":
            judged = problem.rules.judge(result.value)
        else:
            judged = Evaluation("failed", reason=f"{result.status}: {_last_line(result.error)}")
        attacks.append(_outcome(name, judged, faults[name], problem, seed_value))
    samples = _random_answers(evaluator, problem)
    attacks += [_constant_answer(samples, seed_value), *_data_runs_no_code()]
    return AttackReport(tuple(attacks), len(cheats) + SAMPLES, any(v is not None for v in samples))


def _outcome(
    name: str, judged: Evaluation, faults: Sequence[str], problem: Problem, seed_value: float | None
) -> Attack:
    beats = judged.status == "ok" and judged.value is not None
    beats = beats and (seed_value is None or problem.metric.better(judged.value or 0.0, seed_value))
    if faults:
        alone = "the evaluator alone would have believed it" if beats else ""
        return Attack(name, won=False, stopped_by=f"space: {faults[0]}", detail=alone)
    if not beats:
        return Attack(name, won=False, stopped_by=judged.reason or "judgement")
    return Attack(name, won=True, detail=f"scored {judged.value!r}")


def _value_cheats(problem: Problem) -> Iterator[tuple[str, Any]]:
    assert problem.space is not None
    seed = dict(problem.seed.content)
    every = problem.space.variables
    yield "NaN values", {n: _filled(v, seed[n], math.nan) for n, v in every.items()}
    yield "infinite values", {n: _filled(v, seed[n], math.inf) for n, v in every.items()}
    yield "empty candidate", {}
    yield "wrong type", dict.fromkeys(every, "9" * 9)
    yield "wrong shape", {n: [seed[n], seed[n]] for n in every}
    yield "out of bounds", {n: _outside(v, seed[n]) for n, v in every.items()}
    boast = -HUGE if problem.metric.direction == "minimise" else HUGE
    yield "self-reported score", {**seed, "value": boast, "score": boast, problem.metric.name: boast}


def _filled(variable: Variable, value: Any, filling: float) -> Any:
    if isinstance(value, list):
        return [_filled(variable, item, filling) for item in value]
    return filling


def _outside(variable: Variable, value: Any) -> Any:
    match variable:
        case Float() | Integer():
            return _filled(variable, value, variable.high + 1e6 * max(1.0, abs(variable.high)))
        case Permutation():
            return [0] * variable.length
        case Choice():
            return "no such option"


def _random_answers(evaluator: Evaluator, problem: Problem) -> list[float | None]:
    """The values of a few random candidates; None where one failed or is infeasible without a value."""
    assert problem.space is not None
    rng = np.random.default_rng(0)
    points = [problem.space.decode(rng.random(problem.space.dimension)) for _ in range(SAMPLES)]
    measured = evaluator.measure([Proposal(Candidate.parameters(p), "attack") for p in points])
    return [m.evaluation.value for m in measured]


def _constant_answer(samples: Sequence[float | None], seed_value: float | None) -> Attack:
    """Different candidates that all get the seed's score say that the evaluator does not look."""
    if seed_value is None or set(samples) != {seed_value}:
        return Attack("constant answer", won=False, stopped_by="answers differ")
    return Attack(
        "constant answer",
        won=False,
        detail=f"{len(samples)} random candidates all scored exactly as the seed did: does it look at the candidate?",
    )


def _data_runs_no_code() -> list[Attack]:
    why = "a data candidate runs no code"
    return [
        Attack(name, won=False, stopped_by=why) for name in ("writing to the evaluator's files", "patching the clock")
    ]


# -- programs -------------------------------------------------------------------------------------------------------

_TAMPER = (
    "def {name}(*args, **kwargs):\n"
    "    import sys, pathlib\n"
    "    frame, spots = sys._getframe(), set()\n"
    "    while frame is not None:\n"
    "        spots.add(frame.f_code.co_filename)\n"
    "        frame = frame.f_back\n"
    "    for module in list(sys.modules.values()):\n"
    "        spots.add(getattr(module, '__file__', None) or '')\n"
    "    for spot in spots:\n"
    "        if spot.endswith('.py') and ('evaluat' in spot or 'score' in spot):\n"
    "            pathlib.Path(spot).write_text('def evaluate(*a, **k): return {{\"combined_score\": 1e300}}')\n"
    "    return 0.0\n"
)
_CLOCK = (
    "import time as _time\n"
    "_time.time = _time.perf_counter = _time.monotonic = _time.process_time = lambda: 0.0\n"
    "def {name}(*args, **kwargs):\n"
    "    return 0.0\n"
)
_PATCH = (
    "def {name}(*args, **kwargs):\n"
    "    import sys\n"
    "    for module in list(sys.modules.values()):\n"
    "        if 'evaluat' in getattr(module, '__name__', '') or 'evaluat' in str(getattr(module, '__file__', '')):\n"
    "            for key in ('evaluate', 'score', 'aggregate_fn'):\n"
    "                setattr(module, key, lambda *a, **k: {{'combined_score': 1e300}})\n"
    "    return 0.0\n"
)


def _returning(expression: str) -> str:
    return "def {name}(*args, **kwargs):\n    return " + expression.replace("{", "{{").replace("}", "}}") + "\n"


_PROGRAM_CHEATS: Mapping[str, str] = {
    "NaN answer": _returning("float('nan')"),
    "infinite answer": _returning("float('inf')"),
    "empty answer": _returning("None"),
    "wrong type": _returning("'9' * 9"),
    "wrong shape": _returning("[[[1e300]], [1e300], 1e300]"),
    "out of bounds": _returning("1e300"),
    "constant answer": _returning("0"),
    "self-reported score": _returning("{'combined_score': 1e300, 'score': 1e300, 'value': 1e300}"),
    "writing to the evaluator's files": _TAMPER,
    "patching the evaluator": _PATCH,
    "patching the clock": _CLOCK,
}


def _attack_program(evaluator: Evaluator, problem: Problem, seed_value: float | None) -> AttackReport:
    program = problem.program
    assert program is not None
    attacks = []
    evaluations, anything_scored = 0, False
    constant: float | None = None
    for name, code in _PROGRAM_CHEATS.items():
        files = cheating_files(program, code)
        faults = problem.faults(Candidate.program(files))
        if faults:
            attacks.append(Attack(name, won=False, stopped_by=f"static check: {faults[0]}"))
            continue
        evaluations += 1
        judged = evaluator.measure([Proposal(Candidate.program(files), "attack")])[0].evaluation
        anything_scored |= judged.value is not None
        if name == "constant answer":
            constant = judged.value
        attacks.append(_program_outcome(name, judged, constant, problem, seed_value))
    return AttackReport(tuple(attacks), evaluations, anything_scored)


def _program_outcome(
    name: str, judged: Evaluation, constant: float | None, problem: Problem, seed_value: float | None
) -> Attack:
    """A cheat that scores what a constant answer scores has changed nothing; the seed is weak, not the evaluator."""
    found = _outcome(name, judged, (), problem, seed_value)
    if found.won and judged.value == constant and not _beats_record(judged.value, problem):
        return Attack(name, won=False, detail=f"scored {judged.value!r}, as a constant answer does: a weak seed")
    return found


def _beats_record(value: float | None, problem: Problem) -> bool:
    return value is not None and problem.record is not None and problem.metric.better(value, problem.record.value)


def cheating_files(program: Program, code: str) -> dict[str, str]:
    """The seed's files with every function that a mutable region defines replaced by a cheat."""
    files = {}
    for path, (frozen, mutable) in program.regions.items():
        cheats = tuple(region + _overrides(region, program.entry, code) for region in mutable)
        files[path] = join_regions(frozen, cheats)
    return files


def _overrides(region: str, entry: str, code: str) -> str:
    try:
        names = [n.name for n in ast.parse(region).body if isinstance(n, ast.FunctionDef)]
    except SyntaxError:
        names = [entry] if entry else []
    return "".join("\n" + code.format(name=name) for name in names)


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1][:200] if lines else ""

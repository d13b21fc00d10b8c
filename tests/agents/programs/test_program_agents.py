"""The agents for programs: what each proposes is valid, new and within the regions; and they improve programs."""

import ast
import warnings
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colony.agents.portfolio import portfolio
from colony.agents.programs import Crossover, LiteralTuning, StructuredEdit
from colony.agents.programs.crossover import free_names
from colony.agents.programs.literal_tuning import literals, skeleton, with_literals
from colony.agents.programs.pieces import pieces, tree_of
from colony.agents.programs.structured_edit import EDITS, Draft
from colony.agents.proposer import Elite, Outcome, View
from colony.problems.candidate import Candidate
from colony.problems.fence import fence_faults
from colony.problems.metric import Metric
from colony.problems.problem import Evaluator, Problem
from colony.problems.program import Program
from colony.problems.program_hosting import run_program

SEED = """import math

# EVOLVE-BLOCK-START
OFFSET = 2


def helper(u):
    return abs(u) + 1.5


def f(x, y):
    \"\"\"A function of two numbers.\"\"\"
    total = 0.25 * x - OFFSET
    for step in range(3):
        if total < y and step != 1:
            total += step / 7
    return total + helper(y) if x > -1 else -3.0
# EVOLVE-BLOCK-END


def main(points):
    return [f(x, y) for x, y in points]
"""
OTHER = SEED.replace("0.25 * x - OFFSET", "math.sqrt(abs(x * y))").replace("abs(u) + 1.5", "u * u")


def problem(text=SEED, direction="minimise", style="folder"):
    program = Program({"initial.py": text}, "main", ("math",))
    return Problem(
        name="test", program=program, metric=Metric("error", direction), evaluator=Evaluator(style, "0" * 64)
    )


KINDS = [LiteralTuning, StructuredEdit, Crossover]
VIEW = View(
    tuple(
        Elite(f"e{i}", Candidate.program({"initial.py": text}), float(i), "somebody")
        for i, text in enumerate((SEED, OTHER, OTHER.replace("range(3)", "range(y)")))
    )
)


def rounds(agent, count, view=VIEW, score=lambda files: float(len(files["initial.py"]) % 17)):
    """Ask and tell, `count` times; the score is arbitrary and the same for the same text."""
    made = []
    for _ in range(count):
        proposals = agent.ask(view, 4)
        made += proposals
        agent.tell(
            [
                Outcome(f"x{len(made)}-{i}", p, "ok", score(p.candidate.content), p.candidate)
                for i, p in enumerate(proposals)
            ]
        )
    return made


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=6, deadline=None)
def test_proposals_are_valid_and_new_programs(kind, seed):
    """They parse, keep the frozen text, pass the fence, and no agent repeats itself."""
    agent = kind("a", problem(), seed)
    made = rounds(agent, 6)
    hashes = [p.candidate.hash for p in made]
    assert made
    assert len(set(hashes)) == len(hashes)
    assert agent.problem.seed.hash not in hashes
    for proposal in made:
        files = proposal.candidate.content
        ast.parse(files["initial.py"])
        assert agent.problem.faults(proposal.candidate) == []
        assert fence_faults(agent.program, files) == []
        assert proposal.operator in agent.operators


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_asks_the_same_questions(kind):
    """Deterministic, so that a run replays; another seed asks others."""
    first, again, other = ([p.candidate.hash for p in rounds(kind("a", problem(), seed), 5)] for seed in (3, 3, 4))
    assert first == again
    assert first != other


@pytest.mark.parametrize("kind", KINDS)
def test_no_more_than_was_granted(kind):
    """`evaluations` and `proposals_max` both bind."""
    agent = kind("a", problem(), 1)
    assert len(agent.ask(VIEW, 3)) <= 3
    assert len(agent.ask(View(VIEW.elites, proposals_max=2), 50)) <= 2


@pytest.mark.parametrize("kind", [LiteralTuning, StructuredEdit])
def test_agents_work_before_there_is_any_elite(kind):
    """They start from the seed, which is no experiment."""
    made = kind("a", problem(), 1).ask(View(), 4)
    assert made
    assert all(p.parents == () for p in made)


def test_crossover_waits_for_a_second_program():
    """With the seed alone there is nothing to cross."""
    assert Crossover("a", problem(), 1).ask(View(), 4) == []


@pytest.mark.parametrize("kind", KINDS)
def test_programs_without_a_tree_are_left_to_others(kind):
    """No proposals and no error for another language."""
    program = Program({"initial.rs": "// EVOLVE-BLOCK-START\nfn main() {}\n// EVOLVE-BLOCK-END\n"})
    rust = Problem(name="r", program=program, metric=Metric("m", "maximise"), evaluator=Evaluator("shinka", "0" * 64))
    assert list(kind("a", rust, 1).ask(View(), 4)) == []


@pytest.mark.parametrize("name", EDITS)
def test_every_edit_changes_something_and_no_child_ends_with_a_name_error(name):
    """Other errors cost one evaluation; a name without a value is refused before."""
    seed, agent = {"initial.py": SEED}, StructuredEdit("a", problem(), 1)
    place, text = next(iter(pieces(seed).items()))
    changed = 0
    for stream in range(25):
        tree = EDITS[name](Draft(tree_of(text), np.random.default_rng(stream), math=True))
        files = agent.finished(seed, place, tree) if tree is not None else None
        if files is None or files == seed:
            continue
        changed += 1
        with warnings.catch_warnings(), suppress(ArithmeticError, TypeError, ValueError):
            warnings.simplefilter("ignore", SyntaxWarning)
            run_program({"files": files, "entry": "f", "cases": [[1, 2], [-3, 0.5]]})
    assert changed >= 5


def test_literals_are_read_with_their_sign_and_in_order():
    """Not those of annotations, subscripts, defaults or texts; a negative one is one number."""
    text = "def f(x: List[9], n=8):\n    return x[0] * 2 - 1.5e1 + (-3) if n > -0.5 else '7'\n"
    assert [(x.value, x.whole) for x in literals(text)] == [(2, True), (15.0, False), (-3, True), (-0.5, False)]


@given(st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=4))
@settings(max_examples=30)
def test_literals_written_are_literals_read(values):
    """Whole numbers stay whole, others keep six digits, and the skeleton stays the same."""
    text = "def f(x):\n    return x * 2 - 1.5 + (-3) ** x if x > 0.5 else x\n"
    found = literals(text)
    written = with_literals(text, found, values)
    for old, new, value in zip(found, literals(written), values, strict=True):
        assert new.whole == old.whole
        assert new.value == (round(value) if old.whole else pytest.approx(value, rel=1e-5))
    wrapped = [{"a.py": f"# EVOLVE-BLOCK-START\n{t}# EVOLVE-BLOCK-END\n"} for t in (text, written)]
    assert skeleton(wrapped[0]) == skeleton(wrapped[1])


def test_free_names_are_those_that_must_come_from_outside():
    """Builtins and what the text binds itself are none."""
    assert free_names("b = [max(a, i) for i in c]\nb") == {"a", "c"}


def improvement(agents, text, target, evaluations):
    """Minimise the squared distance of f to `target` on a few points; returns first and last cost."""
    points = [[x, y] for x in (-2, 0.5, 3) for y in (-1, 2)]

    def cost(files):
        try:
            (found,) = run_program({"files": files, "entry": "main", "cases": [[points]]})["outputs"]
            return float(sum((a - target(x, y)) ** 2 for a, (x, y) in zip(found, points, strict=True)))
        except Exception:  # noqa: BLE001  # whatever a candidate raises
            return None

    seed = Candidate.program({"initial.py": text})
    elites = [Elite("seed", seed, cost(seed.content), "seed")]
    first, used = elites[0].value, 0
    while used < evaluations:
        for agent in agents:
            proposals = agent.ask(View(tuple(elites)), 4)
            used += len(proposals) or 1
            outcomes = []
            for number, p in enumerate(proposals):
                value = cost(p.candidate.content)
                status = "ok" if value is not None and np.isfinite(value) else "failed"
                outcomes.append(Outcome(f"{used}-{number}", p, status, value if status == "ok" else None, p.candidate))
                if status == "ok" and value not in {e.value for e in elites}:
                    elites.append(Elite(f"{used}-{number}", p.candidate, value, agent.name))
            agent.tell(outcomes)
            elites = sorted(elites, key=lambda e: e.value)[:12]
    return first, elites[0].value


LINE = "# EVOLVE-BLOCK-START\ndef f(x, y):\n    return 1.0 * x + 1.0 * y + 0.5\n# EVOLVE-BLOCK-END\n"
MAIN = "def main(points):\n    return [f(x, y) for x, y in points]\n"


def test_literal_tuning_finds_the_numbers():
    """From 1, 1, 0.5 to 3, -2, 7 within 400 evaluations, to a thousandth of the first error."""
    agent = LiteralTuning("a", problem(LINE + MAIN), 5)
    first, last = improvement([agent], LINE + MAIN, lambda x, y: 3 * x - 2 * y + 7, 400)
    assert last < first / 1000


def test_a_portfolio_finds_structure_and_numbers():
    """A product and a condition that the seed does not have: half of the error goes within 500 evaluations."""
    agents = portfolio(problem(LINE + MAIN), 4, 2)
    target = lambda x, y: 2.5 * x * y if x > 0 else 4.0  # noqa: E731
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        first, last = improvement(agents, LINE + MAIN, target, 500)
    assert last < first / 2


def test_infeasible_programs_are_built_on_while_there_is_nothing_better():
    """A seed that violates a constraint does not stop the search; a feasible find goes before all of them."""
    agent = StructuredEdit("a", problem(), 1)
    first, second = agent.ask(View(), 2)
    agent.tell([Outcome("bad", first, "infeasible", 1.0, first.candidate, violation=2.0)])
    assert [p.experiment for p in agent.parents.ranking(View(), agent.rng)] == ["bad"]
    agent.tell([Outcome("good", second, "ok", 50.0, second.candidate)])
    assert [p.experiment for p in agent.parents.ranking(View(), agent.rng)] == ["good", "bad"]


def test_operators_that_pay_are_used_more():
    """Credit follows children that beat their parent."""
    agent = StructuredEdit("a", problem(), 1)
    for number in range(40):
        proposals = agent.ask(View(VIEW.elites[:1]), 4)
        agent.tell(
            [Outcome(f"{number}", p, "ok", -1.0 if p.operator == "regrow" else 9.0, p.candidate) for p in proposals]
        )
    assert agent._credit["regrow"] > 3 * max(v for k, v in agent._credit.items() if k != "regrow")


def test_a_portfolio_mixes_kinds_with_names_and_streams_of_their_own():
    """Half edit structure."""
    agents = portfolio(problem(), 8, 7)
    kinds = [a.kind for a in agents]
    assert {k: kinds.count(k) for k in set(kinds)} == {"structured-edit": 4, "literal-tuning": 2, "crossover": 2}
    assert len({a.name for a in agents}) == 8
    assert len({int(a.rng.integers(2**40)) for a in agents}) == 8

"""The swarm without a journal, sandbox or second process: the portfolio, allocator and archive of the product, inline.

For benches on cheap functions, where only the number of evaluations counts. It verifies nothing.
"""

from __future__ import annotations

from colony.agents.portfolio import portfolio
from colony.agents.proposer import Outcome, Proposal, View
from colony.memory.archive import Archive, archive_settings
from colony.memory.elite import Elite
from colony.problems.candidate import Candidate
from colony.problems.hosting import ParameterHost
from colony.problems.oracle import Functions
from colony.problems.problem import Problem
from colony.swarm.allocation import Allocator

AGENTS = 8
GRANT_MIN, GRANT_PARTS = 16, 4


def solve_inline(problem: Problem, evaluations: int, seed: int, agents: int = AGENTS, **options) -> Allocator:
    """Spend `evaluations`; whoever wants results watches the objective. Returns the allocator for its statistics."""
    assert problem.space is not None
    members = {agent.name: agent for agent in portfolio(problem, agents, seed)}
    allocator = Allocator({name: agent.kind for name, agent in members.items()}, **options)
    archive = Archive.from_record(archive_settings(problem), problem.metric.sign)
    host = ParameterHost(problem.space, problem.rules, Functions(problem.space, problem.evaluator.functions))
    best, used, dry = None, 0, set()
    while used < evaluations and len(dry) < len(members):
        name = allocator.choose(members.keys() - dry)
        left = evaluations - used
        grant = allocator.grant(min(left, max(GRANT_MIN, evaluations // GRANT_PARTS)), name)
        proposals = members[name].ask(View(archive.elites(64), used, left), grant)
        if not proposals:
            dry.add(name)
            continue
        dry.clear()
        outcomes = [evaluated(host, problem, proposal, f"{used}.{i}") for i, proposal in enumerate(proposals)]
        members[name].tell(outcomes)
        gained = 0.0
        for outcome in outcomes:
            if outcome.status == "ok" and outcome.candidate is not None:
                operator = outcome.proposal.operator
                archive.add(Elite(outcome.experiment, outcome.candidate, outcome.value, name, operator))
                if best is None or problem.metric.better(outcome.value, best):
                    best, gained = outcome.value, 1.0
        spent = sum(o.evaluations for o in outcomes)
        used += spent
        allocator.observe(name, evaluations=spent, seconds=0.0, gain=gained)
    return allocator


def evaluated(host: ParameterHost, problem: Problem, proposal: Proposal, experiment: str) -> Outcome:
    """What became of one proposal, evaluated here and now."""
    candidate = proposal.candidate
    values = None if candidate is None else candidate.content
    if proposal.method is None:
        judged = problem.rules.judge(host({"op": "evaluate", "values": values}))
        return Outcome(experiment, proposal, judged.status, judged.value, candidate, judged.violation, 1, judged.reason)
    request = {
        "op": "search",
        "values": values,
        "method": proposal.method,
        "spec": proposal.spec,
        "seed": proposal.seed,
        "evaluations_max": proposal.evaluations,
    }
    found = host(request)
    status = "failed" if found["value"] is None else "ok"
    best = None if found["values"] is None else Candidate.parameters(found["values"])
    return Outcome(experiment, proposal, status, found["value"], best, 0.0, found["evaluations"], "", found["notes"])

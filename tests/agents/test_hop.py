"""Agents whose jobs are searches: they repeat themselves, overlap, remember, restart, and work without elites."""

import json

import pytest

from colony.agents.hop import CHAINS_MAX, IDLE_MAX, Hop
from colony.agents.multistart import Multistart
from colony.agents.proposer import Elite, Outcome, View
from colony.agents.tour import Tour
from colony.problems.candidate import Candidate
from colony.problems.loaders import find_folder, load_folder

PROBLEM = load_folder(find_folder("distance-ratio-16-2d"))
SEED = dict(PROBLEM.initial)


def told(agent, proposal, number=1, **notes):
    """Tell the agent that its job ended with these notes."""
    agent.tell([Outcome(f"e{number}", proposal, "ok", 18.0, Candidate.parameters(SEED), evaluations=9, notes=notes)])


def state(**changed):
    return {
        "values": SEED,
        "cost": 18.0,
        "best": 18.0,
        "idle": 3,
        "spread": 0.5,
        "tallies": {},
        "distrust": 0,
        **changed,
    }


@pytest.mark.parametrize("kind", [Hop, Multistart, Tour])
def test_agents_repeat_themselves(kind):
    """Two agents with one seed ask for the same jobs; another seed asks for others; each keeps within its grant."""
    jobs = [kind("a", PROBLEM, seed).ask(View(), 100)[0] for seed in (1, 1, 2)]
    assert jobs[0] == jobs[1]
    assert jobs[0].seed != jobs[2].seed
    assert all(job.evaluations <= 100 for job in jobs)
    assert json.dumps(jobs[0].spec)


def test_jobs_overlap_up_to_a_limit():
    """While jobs are out, new chains start, and at the limit the agent waits."""
    agent = Hop("a", PROBLEM, 1)
    jobs = [agent.ask(View(), 100) for _ in range(CHAINS_MAX + 1)]
    assert [len(job) for job in jobs] == [1] * CHAINS_MAX + [0]
    told(agent, jobs[0][0], **state())
    assert len(agent.ask(View(), 100)) == 1


def test_a_chain_goes_on_where_its_job_ended():
    """The next job starts at the last one's point, in its state, and names it as parent."""
    agent = Hop("a", PROBLEM, 1)
    told(agent, agent.ask(View(), 100)[0], **state())
    (job,) = agent.ask(View(), 100)
    assert job.candidate == Candidate.parameters(SEED)
    assert (job.spec["cost"], job.spec["idle"], job.parents) == (18.0, 3, ("e1",))


def test_an_idle_chain_starts_anew_and_sometimes_from_an_elite():
    """Chains that have not improved for long leave their point; a part of them goes on from what others found."""
    elite = Elite("e0", Candidate.parameters(SEED), 18.0, "another")
    starts = set()
    for seed in range(30):
        agent = Hop("a", PROBLEM, seed)
        told(agent, agent.ask(View(), 100)[0], **state(idle=IDLE_MAX + 1))
        (job,) = agent.ask(View((elite,)), 100)
        starts.add(job.parents)
        assert "idle" not in job.spec
    assert starts == {(), ("e0",)}


def test_moves_that_gain_are_used_more():
    """Weights follow the gains, and no move is forgotten."""
    agent = Hop("a", PROBLEM, 1)
    told(agent, agent.ask(View(), 100)[0], **state(tallies={"shake": [100, 30], "swap": [100, 0]}))
    weights = agent.ask(View(), 100)[0].spec["weights"]
    assert weights["shake"] > 10 * weights["swap"] > 0


@pytest.mark.parametrize("kind", [Hop, Multistart, Tour])
def test_a_failed_job_does_not_stop_an_agent(kind):
    """A job that failed brings no notes; the agent asks on."""
    agent = kind("a", PROBLEM, 1)
    agent.tell([Outcome("e1", agent.ask(View(), 100)[0], "failed", reason="out of time")])
    assert agent.ask(View(), 100)


def test_multistart_goes_on_with_what_was_cut_short():
    """An open descent is the start of the next job, once."""
    agent = Multistart("a", PROBLEM, 1)
    told(agent, agent.ask(View(), 100)[0], open=SEED, ends=[], distrust=0)
    assert agent.ask(View(), 100)[0].candidate == Candidate.parameters(SEED)
    assert agent.ask(View(), 100)[0].candidate is None


def test_multistart_jobs_take_their_own_part_of_the_sequence():
    """Each job skips what those before it may have used."""
    agent = Multistart("a", PROBLEM, 1)
    jobs = [agent.ask(View(), 64)[0].spec for _ in range(3)]
    assert [job["skip"] for job in jobs] == [0, 64, 128]
    assert len({job["stream"] for job in jobs}) == 1


def test_multistart_tells_its_jobs_the_ends_it_knows():
    """In few dimensions ends travel to the next job, so that it stops where it falls into a known basin."""
    agent = Multistart("a", load_folder(find_folder("wave-3d")), 1)
    told(agent, agent.ask(View(), 64)[0], open=None, ends=[[0.1, 0.2, 0.3]], distrust=0)
    assert agent.ask(View(), 64)[0].spec["ends"] == [[0.1, 0.2, 0.3]]

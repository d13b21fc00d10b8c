"""The experiment: a real corpus, a quality that junk does not raise, and teams that differ only in what they share."""

from functools import partial

import pytest

from colony.experiments.research.comparison import LIBRARY, RESEARCH, TASKS, Coverage, Part, facts_there_are
from colony.experiments.research.documents import Document
from colony.experiments.trial import Setting, run_trial
from colony.memory.named_memory import NamedMemory

TASK = "archives"


def trial(configuration, agents=4, evaluations=24, seed=0):
    setting = Setting(configuration=configuration, agents=agents, seed=seed, evaluations_max=evaluations)
    return run_trial(RESEARCH.team(TASK, setting, NamedMemory), setting)


@pytest.mark.parametrize("task", TASKS)
def test_there_is_enough_material(task):
    """Every task has dozens of facts in a dozen documents or more."""
    there_are = facts_there_are(TASKS[task])
    assert len(set(there_are.values())) > 50
    assert len({source for source, _, _ in there_are}) > 10


def test_junk_does_not_count():
    """What is not on the list, and what is on it twice, counts nothing."""
    (one, other) = list(facts_there_are(TASKS[TASK]))[:2]
    coverage = Coverage({one: 0, other: 0})
    assert coverage.add((("elsewhere", 0, 0),)) == 0
    assert coverage.add((one,)) == coverage.add((one, other)) == 1


def test_the_corpus_is_this_python():
    """Modules are read from their files, not imported, and only once."""
    assert LIBRARY.read("subprocess.py") is LIBRARY.read("subprocess.py")
    assert all(entry.source.endswith(".py") for entry in LIBRARY.entries())
    assert not [e for e in LIBRARY.entries() if e.source.startswith(("test/", "site-packages/"))]


@pytest.mark.parametrize("configuration", RESEARCH.configurations)
def test_every_configuration(configuration):
    """Each finds facts within its budget, and those that share their visits read nothing twice."""
    measured = trial(configuration, 1 if configuration == "single" else 4)
    assert measured.evaluations == 24
    assert measured.quality > 10
    if configuration in {"single", "swarm", "sources-only", "partitioned"}:
        assert measured.duplicates == 0


def test_sharing_visits_prevents_duplicate_work():
    """With nothing shared the same agents read the same documents again."""
    assert trial("parallel").duplicates > 0


def test_reading_everything_solves_the_task():
    """One agent that reads everything reaches the target, so the target can be reached."""
    measured = trial("single", 1, len(LIBRARY.entries()))
    assert measured.solved
    assert measured.quality == len(set(facts_there_are(TASKS[TASK]).values()))


def test_parts_do_not_meet():
    """The parts of a partition are disjoint, together everything, and no link leads out of one."""
    whole = LIBRARY.entries()
    parts = [Part(LIBRARY, partial(lambda n, source: len(source) % 3 == n, n)) for n in range(3)]
    assert sorted(e.source for part in parts for e in part.entries()) == [e.source for e in whole]
    first = parts[0]
    read = [d for e in first.entries()[:40] if isinstance(d := first.read(e.source), Document)]
    assert any(document.links for document in read)
    assert all(len(link.source) % 3 == 0 for document in read for link in document.links)

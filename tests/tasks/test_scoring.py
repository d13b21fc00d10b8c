"""The score: its terms, the seed's formula to the letter, the order, and that nothing starves."""

from math import isclose

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matrices import HOUR, NOW, edges, links, made_at, task, tasks

from colony.tasks.order import scoring
from colony.tasks.order.graph import TaskGraph
from colony.tasks.order.scoring import Ranking, explain, explain_literally, overtaken_days_max, rank_literally
from colony.tasks.task import State

DAY = 86_400_000
lists = st.lists(tasks, max_size=8, unique_by=lambda one: one.id)


def order(graph, now=NOW):
    """The ids of what is ready, in order."""
    return [scored.task.id for scored in Ranking(graph).ready(now)]


def points(explanation):
    """The points of each term by its name."""
    return {term.name: term.points for term in explanation.terms}


@settings(deadline=None)
@given(lists, st.lists(links, max_size=14), st.integers(NOW, NOW + 10 * DAY))
def test_the_terms_sum_to_the_score_that_ranks(some, joined, now):
    """What is explained is what is ranked by: terms sum to the score of the table, and their shares to the whole."""
    ranking = Ranking(TaskGraph(some, joined))
    for scored in ranking.every(now):
        found = explain(ranking.graph, scored.task.id, now)
        assert isclose(found.score, scored.score, rel_tol=1e-9, abs_tol=1e-6)
        assert isclose(sum(term.points for term in found.terms), found.score, rel_tol=1e-9, abs_tol=1e-6)
        assert isclose(sum(term.share for term in found.terms), 1)
        assert all(term.unit and term.source for term in found.terms)


def test_a_score_computed_by_hand():
    """Priority 4, a star, three that wait, a path of two typical tasks, an unfinished adviser, two days old."""
    some = [task(one, estimate_seconds=HOUR) for one in "bcde"]
    one = task("a", estimate_seconds=HOUR, priority=4, stars=1, created=made_at(NOW - 2 * DAY))
    graph = TaskGraph([one, *some], edges("a>b a>c a>d e;a"))
    assert points(explain(graph, "a", NOW)) == pytest.approx(
        {"priority": 40, "stars": 25, "heat": 50, "path": 30, "advice": -15, "age": 20}
    )
    assert explain(graph, "a", NOW).score == pytest.approx(150)


def test_terms_are_explained_in_words():
    """Each term names where its value comes from: the counts of heat, the chain of the path, who is better first."""
    graph = TaskGraph([task("a", heat=2.0), task("b"), task("c")], edges("a>b c;a"))
    sources = {term.name: term.source for term in explain(graph, "a", NOW).terms}
    assert sources["heat"] == "a human says 2 (B 1 + A 0 - D 0 = 1); heat / (heat + 3)"
    assert sources["path"] == "7200 s of unfinished work in a row (a > b); a typical task is 3600 s"
    assert sources["advice"] == "unfinished, and better done before: c"


def test_the_seeds_worked_example():
    """The seed's commands of four tasks give 160, 10, 10, 10 before depth; its text prints 70 and 20 for two."""
    some = [
        task("build", priority=3, stars=2, heat=0.8),
        *(task(one, priority=1) for one in ("test", "deploy", "docs")),
    ]
    graph = TaskGraph(some, edges("build>test test>deploy docs;deploy"))
    literal = {one.id: points(explain_literally(graph, one.id)) for one in some}
    assert {one: sum(terms.values()) - terms["depth"] for one, terms in literal.items()} == pytest.approx(
        {"build": 160, "test": 10, "deploy": 10, "docs": 10}
    )
    assert {one: terms["depth"] for one, terms in literal.items()} == {"build": 0, "test": 15, "deploy": 30, "docs": 0}


@settings(deadline=None)
@given(lists, st.lists(links, max_size=14))
def test_the_literal_table_has_the_literal_scores(some, joined):
    """The seed's table lists every unfinished task with the score that is explained of it, the highest first."""
    graph = TaskGraph(some, joined)
    rows = rank_literally(graph)
    assert sorted(row.task.id for row in rows) == sorted(node.id for node in graph.unfinished())
    assert [row.score for row in rows] == [explain_literally(graph, row.task.id).score for row in rows]
    assert [row.score for row in rows] == sorted((row.score for row in rows), reverse=True)


def test_depth_to_the_root_cannot_tell_what_may_start():
    """The seed's depth is 0 for each of two tasks that may start; the path tells which of them much hangs on."""
    graph = TaskGraph([task(one) for one in "abcde"], edges("b>c c>d d>e"))
    assert [points(explain_literally(graph, one))["depth"] for one in "ab"] == [0, 0]
    assert [points(explain(graph, one, NOW))["path"] for one in "ab"] == [15, 60]
    assert order(graph) == ["b", "a"]


def test_the_longer_path_goes_first_whatever_the_number_of_tasks():
    """Ten hours in one task outweigh three tasks of an hour each."""
    some = [task("long", estimate_seconds=10 * HOUR), *(task(one, estimate_seconds=HOUR) for one in "abc")]
    assert order(TaskGraph(some, edges("a>b b>c"))) == ["long", "a"]


def test_people_are_heard():
    """Of tasks that are alike otherwise, priority, a star and a human's heat each put one first."""
    for first in ({"priority": 4}, {"stars": 1}, {"heat": 5.0}):
        assert order(TaskGraph([task("a"), task("b", **first)])) == ["b", "a"]


def test_advice_is_followed_where_nothing_speaks_against_it():
    """A task waits for what had better come first, unless more hangs on it than one typical task."""
    assert order(TaskGraph([task("a"), task("b")], edges("b;a"))) == ["b", "a"]
    assert order(TaskGraph([task(one) for one in "abcd"], edges("b;a a>c c>d"))) == ["a", "b"]


def test_ties_go_to_the_older_then_by_id():
    """Equal scores are ordered by when the task was made, then by id, whatever the order they came in."""
    some = [task("c"), task("b"), task("a")]
    assert order(TaskGraph(some)) == order(TaskGraph(reversed(some))) == ["a", "b", "c"]
    old = task("z", priority=3, created=made_at(NOW - 1))
    assert order(TaskGraph([task("a", created=made_at(NOW)), old])) == ["z", "a"]


def test_a_wild_estimate_buys_little():
    """Thirty years of estimated work gain less than twelve times what a hundred typical tasks do."""
    some = [task(f"t{n}", estimate_seconds=HOUR) for n in range(9)]
    graph = TaskGraph([*some, task("wild", estimate_seconds=1e9)])
    hundred = 100 * scoring.PATH_POINTS
    assert hundred < points(explain(graph, "wild", NOW))["path"] < 12 * hundred


@settings(deadline=None)
@given(lists, st.lists(links, max_size=14), st.integers(0, 10**6))
def test_the_order_does_not_depend_on_the_hour(some, joined, days):
    """All tasks age alike, so the table of today is that of any other day, with every score moved by the same."""
    ranking = Ranking(TaskGraph(some, joined))
    today, later = ranking.every(NOW), ranking.every(NOW + days * DAY)
    assert [row.task for row in today] == [row.task for row in later]


def starved_rounds(rounds):
    """For how many days a task of the lowest worth waits, if every day brings two of the highest, and one is done."""
    graph = TaskGraph([task("humble", priority=1, created=made_at(NOW))])
    ranking, bound = Ranking(graph), overtaken_days_max(graph, "humble", best=50 + 25 * 12 + 100 + 15)
    for day in range(rounds):
        now = NOW + day * DAY
        for number in (0, 1):
            ranking.put(task(f"d{day:04}-{number}", priority=5, stars=12, heat=1e6, created=made_at(now)))
        first = next(ranking.ready(now)).task
        if first.id == "humble":
            return day, bound
        ranking.put(msgspec.structs.replace(first, state=State.DONE))
    return rounds, bound


def test_nothing_starves():
    """A humble task among ever new urgent ones is overtaken only by those made within the bound, then it is first."""
    waited, bound = starved_rounds(400)
    assert bound == pytest.approx((465 - 25) / 10)
    assert 1 < waited <= 2 * (bound + 1)


def test_without_ageing_it_would(monkeypatch):
    """With ageing taken out, the same task waits for as long as urgent ones come."""
    monkeypatch.setattr(scoring, "AGE_POINTS_PER_DAY", 1e-9)
    waited, _ = starved_rounds(400)
    assert waited == 400

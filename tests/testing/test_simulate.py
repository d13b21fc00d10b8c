"""The simulator: one line for each seed, and an exit code that a machine can read."""

from __future__ import annotations

import dataclasses

import pytest

from colony.testing import simulate


def test_each_seed_is_one_line_and_success_is_zero(capsys):
    """What was done to each run is printed with the seed that repeats it."""
    assert simulate.main(["--seeds", "2", "--first", "7"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines[:2]] == ["seed 7", "seed 8"]
    assert all(line.endswith(": ok") for line in lines[:2])
    assert lines[2] == "2 of 2 seeds held"


def test_a_seed_that_fails_makes_the_end_non_zero(capsys, monkeypatch):
    """A single fault in a single seed is the result of the whole."""
    honest = simulate.simulate

    def faulty(seed, place):
        found = honest(seed, place)
        return dataclasses.replace(found, faults=("something",)) if seed == 3 else found

    monkeypatch.setattr(simulate, "simulate", faulty)
    assert simulate.main(["--seeds", "1", "--first", "3"]) == 1
    assert "seed 3" in capsys.readouterr().out


def test_the_help_says_what_it_does(capsys):
    """--help explains itself and ends with success."""
    with pytest.raises(SystemExit) as end:
        simulate.main(["--help"])
    assert end.value.code == 0
    assert "--seeds" in capsys.readouterr().out


def test_the_same_seed_is_the_same_course(tmp_path):
    """What befalls a run follows from its seed alone."""
    first, second = (simulate.simulate(11, tmp_path / name) for name in ("one", "two"))
    assert first == second

"""The reference is complete: what the code offers is documented, and what is generated is current."""

import re
import runpy
from dataclasses import fields

import pytest
from documents import ROOT

from colony.node.result import Best, Result
from colony.node.settings import Settings
from colony.problems import loaders, space
from colony.problems.metric import Budget

REFERENCE = ROOT / "docs" / "reference"
WRITER = runpy.run_path(str(ROOT / "tools" / "write_reference.py"))


def documented(page: str) -> str:
    return (REFERENCE / page).read_text("utf-8")


@pytest.mark.parametrize("page", sorted(WRITER["PAGES"]))
def test_generated_pages_are_current(page):
    """Commands, options, exit codes, kinds of records and limits stand in the reference as the code has them."""
    text = documented(page)
    assert WRITER["renewed"](text, WRITER["PAGES"][page]()) == text, "run: make reference"


def test_generated_pages_notice_a_change():
    """A page that lacks a row is not current, so the check above can fail."""
    text = documented("limits.md").replace("RECORD_BYTES_MAX", "RECORD_BYTES")
    assert WRITER["renewed"](text, WRITER["PAGES"]["limits.md"]()) != text


def test_every_key_of_problem_toml():
    """Every key that the loader takes is on its page."""
    tables = [*loaders._TABLES.values(), *space._KEYS.values(), {f.name for f in fields(Budget)}, set(space._KEYS)]
    text = documented("problem-toml.md")
    missing = [key for table in tables for key in table if f"`{key}`" not in text and f'`"{key}"`' not in text]
    assert not missing


def test_every_field_of_the_json_object():
    """Every field of a result and of its best is on its page, and the page names no field that is not there."""
    text = documented("json.md")
    named = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    assert named == {f.name for f in fields(Result)} | {f.name for f in fields(Best)}


def test_every_environment_variable():
    """What the engine reads from the environment is on the page of settings."""
    source = "".join(p.read_text("utf-8") for p in (ROOT / "src" / "colony").rglob("*.py") if "sandbox" not in p.parts)
    read = set(re.findall(r"""(?:environ\.get\(|environ\[|envvar=)["'](\w+)""", source)) - {"PYTHONPATH"}
    assert read
    assert not [name for name in read if f"`{name}`" not in documented("settings.md")]


def test_every_setting_of_a_run():
    """So is every setting."""
    assert not [f.name for f in fields(Settings) if f"`{f.name}`" not in documented("settings.md")]


def test_glossary_has_each_word_once():
    """One row for each word, in order."""
    text = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    words = [w for w in re.findall(r"^\| ([a-z-]+) \|", text, re.MULTILINE) if w not in {"word", "---"}]
    assert words == sorted(set(words))

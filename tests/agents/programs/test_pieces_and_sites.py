"""Mutable pieces as trees, and the places in them with the names that have a value there."""

import libcst as cst
import pytest

from colony.agents.programs.pieces import Place, pieces, text_of, tidied, tree_of, with_piece
from colony.agents.programs.sites import expressions, open_ended, statements, unresolved

TEXT = '''
def f(a, b: int = 3):
    """Says what it does."""
    c = a * 2
    for i in range(b):
        if i > c and not a:
            d = x[7]
    return sum(y * c for y in [a, b] if y > 3)
'''


def sites(text):
    return {cst.Module([]).code_for_node(s.node): s for s in expressions(tree_of(text))}


def test_a_piece_is_put_back_where_it_was():
    """The frozen text, marker lines included, stays as it is."""
    files = {"a.py": "x\n# EVOLVE-BLOCK-START\ny = 1\n# EVOLVE-BLOCK-END\nz\n", "notes.txt": "n"}
    changed = with_piece(files, Place("a.py", 0), "y = 2\n")
    assert changed == {**files, "a.py": files["a.py"].replace("y = 1", "y = 2")}
    assert pieces(changed) == {Place("a.py", 0): "y = 2\n"}


@pytest.mark.parametrize(
    "text", ["x = 1\n", "    x = 1\n    return x\n", "        if a:\n            b()\n", "", "# only\n"]
)
def test_every_tree_writes_the_text_it_was_read_from(text):
    """Also where the piece stands inside a function."""
    tree = tree_of(text)
    assert text_of(tree, text) in (text, "\n")


@pytest.mark.parametrize("text", ["else:\n    x = 1\n", "fn main() {}\n", "def f(:\n"])
def test_what_is_no_complete_python_has_no_tree(text):
    """Such pieces are left alone."""
    assert tree_of(text) is None


def test_places_know_the_names_that_have_a_value():
    """Parameters, what was assigned before in the same block, targets of the loops around; no more."""
    found = sites(TEXT)
    assert found["a * 2"].names == ("a", "b")
    assert found["i > c"].names == ("a", "b", "c", "i")
    assert found["y * c"].names == ("a", "b", "c", "y")
    assert found["sum(y * c for y in [a, b] if y > 3)"].names == ("a", "b", "c")


def test_conditions_are_told_from_values():
    """Only the truth of a condition counts."""
    conditions = {text for text, site in sites(TEXT).items() if site.sort == "condition"}
    assert conditions == {"i > c and not a", "i > c", "not a", "y > 3"}


def test_annotations_subscripts_texts_and_called_names_are_no_places():
    """Changing them breaks a program more often than it betters it."""
    assert not {"int", "7", "sum", "range", '"""Says what it does."""'} & set(sites(TEXT))


def test_statements_know_whether_a_function_is_round_them():
    """A return may only stand there; a docstring is no statement."""
    found = [(type(s.node).__name__, s.inside_function) for s in statements(tree_of(TEXT))]
    line = ("SimpleStatementLine", True)
    assert found == [("FunctionDef", False), line, ("For", True), ("If", True), line, line]


def test_names_without_a_value_are_found():
    """`late` is read before it is assigned, `gone` was assigned in another branch."""
    text = "def f(a):\n    b = late\n    late = 1\n    if a:\n        gone = 2\n    return gone + b\n"
    assert unresolved(tree_of(text)) == {"late", "gone"}


def test_what_follows_a_return_is_cut():
    """It could never run; the other branch stays."""
    tree = tree_of("def f(a):\n    if a:\n        return 1\n        a = 2\n    return 3\n    return 4\n")
    assert tidied(tree).code == "def f(a):\n    if a:\n        return 1\n    return 3\n"


def test_functions_that_may_end_without_a_value_are_found():
    """Both branches return, or the last statement does."""
    text = (
        "def a(x):\n    if x:\n        return 1\n    else:\n        return 2\n"
        "def b(x):\n    if x:\n        return 1\n"
        "def c(x):\n    x = 1; return x\n"
    )
    assert open_ended(tree_of(text)) == {"b"}

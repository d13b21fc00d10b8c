"""BM25 against numbers worked out by hand, and near-duplicates."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colony.experiments.research.ranking import Bm25, classes, distinct, says_the_same, similarity

WORDS = st.lists(st.sampled_from(["pipe", "child", "reads", "writes", "bytes", "waits"]), max_size=8).map(" ".join)


def test_scores_are_those_of_the_formula():
    """Three texts of mean length 2: idf of a term in two of three is ln(1 + 1.5 / 2.5); the parts follow by hand."""
    index = Bm25([["a", "b"], ["a", "a", "c"], ["d"]])
    idf = math.log(1.6)
    assert index.idf("a") == pytest.approx(idf)
    first = idf * 1 * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 2 / 2))  # = idf
    second = idf * 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 3 / 2))  # = idf * 4.4 / 3.65
    assert index.scores({"a": 1.0}) == pytest.approx([first, second, 0.0])
    assert index.scores({"a": 1.0}) == pytest.approx([0.4700036, 0.5665797, 0.0])


def test_weights_and_terms_add_up():
    """A query's score is the weighted sum of its terms' scores."""
    index = Bm25([["a", "b"], ["a", "a", "c"], ["d"]])
    a, b = index.scores({"a": 1.0}), index.scores({"b": 1.0})
    assert index.scores({"a": 2.0, "b": 0.5}) == pytest.approx([2 * x + y / 2 for x, y in zip(a, b, strict=True)])


def test_rare_terms_tell_more():
    """A rarer term has a higher idf, one that no text has the highest, and none is negative."""
    index = Bm25([["a", "b"], ["a"], ["a"]])
    assert 0 <= index.idf("a") < index.idf("b") < index.idf("z")


def test_an_empty_collection():
    """Nothing ranks nothing."""
    assert Bm25([]).scores({"a": 1.0}) == []


@given(WORDS, WORDS)
def test_similarity_is_symmetric(one, other):
    """Either way round it is the same, between 0 and 1, and 1 of a text that has words with itself."""
    assert similarity(one, other) == similarity(other, one)
    assert 0 <= similarity(one, other) <= 1
    assert similarity(one, one) == bool(one)


def test_similarity_by_hand():
    """Four and three pairs of neighbours with three in common: 3 / 4."""
    assert similarity("Pipes carry all bytes home", "pipes carry all bytes") == pytest.approx(3 / 4)


def test_near_duplicates():
    """One word changed in a sentence of a dozen is a near-duplicate; another sentence on the same thing is not."""
    text = "The child process inherits every open file descriptor of its parent on start."
    assert says_the_same(text, text.replace("every", "each"))
    assert not says_the_same(text, "The parent closes every descriptor that the child process does not need.")


@given(st.lists(WORDS, max_size=10))
def test_distinct_keeps_one_of_each(texts):
    """No two that are kept say the same, and each that is dropped says what an earlier one that is kept says."""
    kept = distinct(texts)
    assert not [(i, j) for i in kept for j in kept if i < j and says_the_same(texts[i], texts[j])]
    for number, text in enumerate(texts):
        earlier = [k for k in kept if k < number and says_the_same(texts[k], text)]
        assert (number in kept) == (not earlier)


@given(st.lists(WORDS, max_size=8, unique=True), st.randoms())
def test_classes_do_not_depend_on_order(texts, random):
    """Which texts are in one class is the same whatever the order in which they come."""
    shuffled = random.sample(texts, len(texts))

    def parts(order):
        of = classes({text: text for text in order})
        return {frozenset(t for t in of if of[t] == number) for number in of.values()}

    assert parts(texts) == parts(shuffled)

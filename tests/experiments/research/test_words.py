"""Sentences and their places, stems, and what counts as prose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colony.experiments.research.words import is_prose, one_line, sentence_spans, stem, stems, words

TEXTS = st.text(st.sampled_from("ab .!?\n\"')A1é-"), max_size=200) | st.text(max_size=100)


def sentences(text):
    return [text[start:end] for start, end in sentence_spans(text)]


@given(TEXTS)
def test_spans_cover_the_text(text):
    """Spans are in order and disjoint, none is empty, and only white space lies between them."""
    spans, at = list(sentence_spans(text)), 0
    for start, end in spans:
        assert at <= start < end
        assert not text[at:start].strip()
        assert text[start:end].strip() == text[start:end]
        at = end
    assert not text[at:].strip()


@given(
    st.lists(st.sampled_from(["Pipes carry bytes.", "Who reads them?", "It is 3.11 now!", 'He said "no."']), max_size=6)
)
def test_sentences_are_found_again(parts):
    """What was put together with blanks or line ends comes apart where it was joined."""
    assert sentences(" ".join(parts)) == parts
    assert sentences("\n".join(parts)) == parts


@pytest.mark.parametrize(
    "text",
    [
        "Some letters, e.g. Greek ones, are kept.",
        "As Dr. Smith and J. Doe say in Fig. 3, it holds.",
        "Version 3.11 is read by os.path and others.",
        "It ends, etc. and goes on.",
    ],
)
def test_abbreviations_do_not_end_a_sentence(text):
    """A full stop of an abbreviation, an initial, a number or a name does not end a sentence."""
    assert sentences(text) == [text]


def test_closing_quotes_belong_to_the_sentence():
    """A quote or bracket after the full stop stays with it."""
    assert sentences('He left ("at last.") Nobody saw it.') == ['He left ("at last.")', "Nobody saw it."]


@pytest.mark.parametrize(
    "family",
    ["parse parsing parsed parser", "date dates", "zone zones", "hash hashes hashing", "cancel cancelled cancelling",
     "communicate communication communicates", "subprocess subprocesses", "secure security"],
)  # fmt: skip
def test_words_of_a_family_share_a_stem(family):
    """Inflected forms meet in one stem."""
    assert len({stem(word) for word in family.split()}) == 1


def test_different_words_keep_different_stems():
    """Words that mean different things do not meet."""
    assert len({stem(word) for word in ["date", "data", "thread", "time", "task", "test", "lock", "loop"]}) == 8


def test_names_are_split_into_words():
    """Names in camel case and with underscores are the words they are made of."""
    assert words("StreamReader read_until") == ["stream", "reader", "read", "until"]


def test_words_without_meaning_have_no_stem():
    """Articles, pronouns and the like are left out."""
    assert stems("This is what you would have of them") == []


@pytest.mark.parametrize(
    "text",
    [
        "The pipe carries bytes to the child.",
        '"Quoted" words begin this sentence here.',
        "3 children share one pipe today.",
    ],
)
def test_prose(text):
    """A whole sentence is prose."""
    assert is_prose(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Too short.",
        "The heading of a section without an end",
        "and this begins in the middle of a sentence.",
        ">>> print('this is code that ends in a full stop.')",
        "Popen.wait(timeout) -> the code that the child returned.",
        "The table has | many | columns | here and there.",
        "X = 1 + 2 * 3 / 4 - 5 % 6 ** 7 and so on.",
        " ".join(["Word"] * 61) + ".",
    ],
)
def test_no_prose(text):
    """Fragments, headings, code, signatures, tables and endless sentences are not."""
    assert not is_prose(text)


def test_one_line():
    """Every run of white space becomes one blank."""
    assert one_line(" a\n  b\tc ") == "a b c"

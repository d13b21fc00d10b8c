"""What counts as a fact, what it answers, which questions it leaves; all without a model."""

from hypothesis import given
from hypothesis import strategies as st

from colony.experiments.research.documents import Document, Location, Passage
from colony.experiments.research.extraction import Fact, PlainExtractor, Query, defines
from colony.experiments.research.prose import passages_of
from colony.primitives.limits import RESEARCH_FACTS_PER_DOCUMENT_MAX

PIPES = Query("pipes of child processes")


def document(text, title="notes"):
    return Document("notes.txt", title, tuple(passages_of(text)))


def found(text, query=PIPES, title="notes"):
    return [(fact.text, fact.topic) for fact in PlainExtractor().facts(document(text, title), query)]


def test_a_fact_has_two_words_of_the_topic():
    """One word of the topic is not enough, nor is the same one twice; a topic of one word needs that one."""
    text = "The pipe belongs to a child. The pipe is a narrow thing. Pipes and a pipe lie here today."
    assert found(text) == [("The pipe belongs to a child.", PIPES.topic)]
    assert len(found(text, Query("pipes"))) == 3


def test_the_heading_counts_with_a_sentence():
    """The second word may stand in the title or the heading over the sentence, but one is in the sentence itself."""
    text = "The pipe is a narrow thing. It has a long history."
    assert found(text, title="child processes") == [("The pipe is a narrow thing.", PIPES.topic)]
    assert found(text, title="pipes") == []
    assert found(f"Child\n=====\n\n{text}") == [("The pipe is a narrow thing.", PIPES.topic)]


def test_a_fact_on_a_question():
    """A sentence with an asked term and one word of the topic is a fact on that term."""
    query = Query("pipes of child processes", ("descriptor",))
    text = "A descriptor names one end of a pipe. A descriptor is a small number."
    assert found(text, query) == [("A descriptor names one end of a pipe.", "descriptor")]


def test_facts_stand_where_they_say():
    """The text of a fact is found again at its place, and in the line that it names."""
    text = "Intro\n=====\n\nNothing is said here. The pipe of the\nchild carries bytes. The child closes its pipe.\n"
    read = document(text)
    facts = PlainExtractor().facts(read, PIPES)
    assert sorted((f.location.line, f.text) for f in facts) == [
        (4, "The pipe of the child carries bytes."),
        (5, "The child closes its pipe."),
    ]
    for fact in facts:
        assert read.at(fact.location) == fact.text
        assert fact.text.split()[0] in text.splitlines()[fact.location.line - 1]
    assert str(facts[0].location).startswith("Intro, line ")


def test_code_signatures_and_tables_are_no_facts():
    """What only looks like text gives nothing."""
    text = "pipe(child) -> process.\n\n>>> pipe(child). Now child.\n\nExample::\n\n    The pipe of the child is code.\n"
    assert found(text) == []


def test_best_first_and_none_twice():
    """The sentence with more of the topic stands first; a near-duplicate of a better one is left out."""
    text = (
        "The child has a pipe somewhere in the large house of its parents and their friends. "
        "Pipes connect child processes. The pipes connect child processes."
    )
    assert [text[:5] for text, _ in found(text)] in (["Pipes", "The c"], ["The p", "The c"])


def test_a_document_gives_a_limited_number_of_facts():
    """However long it is."""
    names = ["".join(chr(97 + int(digit)) for digit in f"{n:04}") for n in range(1000, 1300)]
    text = " ".join(f"The pipe of child {name} meets x{name} under y{name} near z{name}." for name in names)
    assert len(document(text).prose) == 300
    assert len(found(text)) == RESEARCH_FACTS_PER_DOCUMENT_MAX


def test_questions_are_things_that_facts_speak_of():
    """A thing named in most facts and seldom elsewhere is asked for; the topic, known terms and chatter are not."""
    facts = " ".join(f"The pipe of child {n} is one end of the descriptor." for n in ("one", "two", "three", "four"))
    other = " ".join(f"The weather of town {n} is a matter for the end." for n in ("one", "two", "three", "four"))
    read, extractor = document(f"{facts} {other}"), PlainExtractor()
    chosen = [
        Fact(s.text, read.source, s.location, PIPES.topic, 1.0) for s in read.prose if "descriptor" in s.text
    ]  # fmt: skip
    assert extractor.questions(read, chosen, PIPES) == ("descriptor",)
    assert extractor.questions(read, chosen, Query(PIPES.topic, ("descriptor",))) == ()
    assert extractor.questions(read, (), PIPES) == ()


def test_what_defines_a_term():
    """A sentence that begins with the term and says what it is, not one that mentions it."""
    assert defines("A descriptor is a small number.", "descriptor")
    assert defines("Descriptors are small numbers.", "descriptor")
    assert defines("The `descriptor` object represents an open file.", "descriptor")
    assert not defines("Close the descriptor when it is done.", "descriptor")
    assert not defines("A descriptor has gone.", "descriptor")


LOCATIONS = st.builds(
    Location,
    st.integers(0, 9),
    st.integers(0, 9),
    st.integers(0, 9),
    st.integers(1, 9),
    st.text(max_size=5),
    st.none() | st.integers(1, 9),
)
FACTS = st.builds(Fact, st.text(), st.text(), LOCATIONS, st.text(), st.floats(0, 9))


@given(FACTS)
def test_facts_survive_shared_memory(fact):
    """A fact comes back from its value as it was."""
    assert Fact.from_value(fact.as_value()) == fact


def test_pages_are_named():
    """A place in a PDF names its page."""
    read = Document("a.pdf", "a", (Passage("A pipe joins a child to us.", 3, "", 7),))
    (fact,) = PlainExtractor().facts(read, PIPES)
    assert str(fact.location) == "page 7, line 3"

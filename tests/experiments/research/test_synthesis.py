"""The report and the whole way to it, on real files: every sentence is cited, and stands where the citation says."""

import re
import threading
from dataclasses import replace

import pytest
from test_formats import pdf

from colony.experiments.research import FolderSource, Inquiry, conduct, research
from colony.experiments.research.documents import Unreadable
from colony.experiments.research.extraction import Fact, Location
from colony.experiments.research.report import NOTHING, report_of
from colony.experiments.research.state import Gathered
from colony.experiments.trial import Setting
from colony.memory.named_memory import NamedMemory
from colony.primitives.errors import LimitError, UsageError

TOPIC = "pipes between child processes"


@pytest.fixture
def folder(tmp_path):
    """Documents of every kind, some of them broken."""
    (tmp_path / "pipes.md").write_text(
        "# Pipes\n\nA pipe connects *two* processes. The `child` inherits\n"
        "its end of every pipe. It has nothing of the topic.\n"
    )
    (tmp_path / "child.txt").write_text(
        "Child processes\n===============\n\nA child closes the pipe when it is done with it.\n"
    )
    (tmp_path / "web.html").write_text(
        "<h1>Children</h1>\n<p>The <b>pipe</b> of a child\nis <i>never</i> shared &lt;b&gt;.</p>"
    )
    (tmp_path / "paper.pdf").write_bytes(
        pdf(["Nothing is here."], ["A full pipe blocks", "the child that writes to it."])
    )
    (tmp_path / "code.py").write_text('"""Pipes for child [processes]_ are *made* here in pairs."""\n\ndef f(): ...\n')
    (tmp_path / "same.txt").write_text("A pipe connects two processes.\n")
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4 not really")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    return tmp_path


def unescaped(text):
    return re.sub(r"\\(.)", r"\1", text)


def parts(report):
    """The report's sections by title."""
    found = re.split(r"^#+ (.*)\n", report, flags=re.MULTILINE)
    return dict(zip(map(str.strip, found[1::2]), found[2::2], strict=True))


def cited(report):
    """Every sentence of the summary and the sections, with its number; fails on a line that has none."""
    lists = ("Sources", "Could not be read", "Open questions")
    lines = [line for title, text in parts(report).items() if title not in lists for line in text.split("\n") if line]
    return [re.fullmatch(r"(?:- )?(.*) \[(\d+)\]", line).groups() for line in lines]


def test_every_sentence_cites_where_it_stands(folder):
    """Each sentence of the report is in the document that its number names, at the place that it names."""
    source = FolderSource(folder)
    findings = research(TOPIC, source, agents=3)
    numbered = dict(
        re.match(r"(\d+)\. (.*)", line).groups() for line in parts(findings.report)["Sources"].split("\n") if line
    )
    facts = {(f"{fact.source}: {fact.location}", fact.text): fact for fact in findings.facts}
    sentences = cited(findings.report)
    assert {number for _, number in sentences} == set(numbered)
    for text, number in sentences:
        fact = facts[unescaped(numbered[number]), unescaped(text)]
        assert fact.text == source.read(fact.source).at(fact.location)
        if fact.location.page is None:
            line = (folder / fact.source).read_text().splitlines()[fact.location.line - 1]
            assert fact.text.split()[0] in line
    assert {fact.source for fact in facts.values()} >= {"pipes.md", "child.txt", "web.html", "paper.pdf", "code.py"}
    assert any("page 2, line 1" in place for place in numbered.values())


def test_unreadable_documents_are_listed_and_counted(folder):
    """They stop nothing; the report and the findings name each with its reason, and the budget counts them."""
    findings = research(TOPIC, FolderSource(folder))
    assert [u.source for u in findings.unreadable] == ["broken.pdf", "latin.txt"]
    listed = unescaped(parts(findings.report)["Could not be read"])
    assert "latin.txt: not UTF-8: byte 3 is 0xe9" in listed
    assert "broken.pdf: " in listed
    assert findings.measurement.evaluations == 8
    assert len(findings.read) == 6


def test_a_sentence_stands_in_the_report_once(folder):
    """What two documents say alike is said once, beside the summary."""
    report = research(TOPIC, FolderSource(folder)).report
    assert parts(report)["Summary"].count("connects two processes") <= 1
    assert sum("connects two processes" in text for text, _ in cited(report)) <= 2


def test_two_sections_do_not_say_the_same():
    """A near-duplicate on another question is left out as well."""
    text = "The child process closes its own end of the pipe when it is done."
    facts = tuple(Fact(text, f"d{topic}", Location(0, 0, len(text), 1), topic, 1.0) for topic in (TOPIC, "end"))
    report = report_of(TOPIC, Gathered(facts=facts, read=("d",), unreadable=(), questions=()))
    assert report.count(text) == 2  # once in the summary, once in its section


def test_documents_do_not_write_the_report():
    """What a document says is shown as it is, not obeyed as markup."""
    text = "The <script>pipe</script> of [a child](x) is *not* `code` at all."
    fact = Fact(text, "a_b.md", Location(0, 0, len(text), 1), TOPIC, 1.0)
    report = report_of(TOPIC, Gathered(facts=(fact,), read=("a_b.md",), unreadable=(), questions=()))
    assert r"The \<script\>pipe\</script\> of \[a child\](x) is \*not\* \`code\` at all. [1]" in report
    assert r"1. a\_b.md: line 1" in report


def test_sections_by_relevance():
    """The section whose facts suit the topic best stands first; the summary has the best of each section first."""

    def fact(text, topic):
        return Fact(text, "d", Location(0, len(text), 9, 1), topic, 1.0)

    facts = (
        fact("A far end of a long pipe lies somewhere out there, in the rain and the mud.", "end"),
        fact("A pipe joins child processes.", TOPIC),
        fact("Every child has a pipe of its own.", TOPIC),
    )
    report = report_of(TOPIC, Gathered(facts=facts, read=("d",), unreadable=(), questions=("mud",)))
    assert list(parts(report))[1:4] == ["Summary", "Facts on the topic", "End"]
    assert [text[:6] for text, _ in cited(report)[:3]] == ["A pipe", "A far ", "Every "]
    assert "What is “mud”?" in parts(report)["Open questions"]


def test_a_topic_that_nothing_matches(folder):
    """The report says so, and still lists what could not be read."""
    findings = research("volcanoes in antarctica", FolderSource(folder))
    assert NOTHING in findings.report
    assert findings.facts == ()
    assert "latin.txt" in findings.report


def test_an_empty_folder(tmp_path):
    """Nothing to read is read at once."""
    findings = research(TOPIC, FolderSource(tmp_path))
    assert NOTHING in findings.report
    assert findings.measurement.evaluations == 0


def test_enough_is_enough(folder):
    """Once there are enough facts the synthesiser ends the research, however much is left to read."""
    memory = NamedMemory()
    over = memory.variable("over", False)

    def wait_for_the_end(_):
        while not over.value:
            threading.Event().wait(0.001)

    inquiry = Inquiry(topic=TOPIC, source=FolderSource(folder, accepts=accepts), facts_wanted=1, tell=wait_for_the_end)
    findings = conduct(inquiry, Setting(configuration="single", agents=1), lambda: memory)
    assert findings.measurement.evaluations == len(findings.read) == 1


def accepts(path):
    return path in {"child.txt", "same.txt", "paper.pdf"}


def test_documents_are_limited(folder):
    """With few documents allowed, no more are tried."""
    limited = research(TOPIC, FolderSource(folder), agents=2, documents_max=3)
    assert limited.measurement.evaluations == 3
    assert len(limited.read) + len(limited.unreadable) == 3


def test_time_is_limited(folder):
    """When the time is up before the start, nothing is read, and the report is still written."""
    findings = research(TOPIC, FolderSource(folder), seconds_max=0.0)
    assert findings.read == ()
    assert findings.report.startswith("# Pipes between")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"topic": ""}, UsageError),
        ({"topic": " the of \n"}, UsageError),
        ({"topic": "pipe " * 100}, LimitError),
        ({"agents": 0}, UsageError),
        ({"documents_max": 0}, UsageError),
        ({"facts_wanted": 0}, UsageError),
    ],
)
def test_bad_input(folder, change, error):
    """An empty topic, one without words or without end, and numbers below one are refused with one clear error."""
    arguments = {"topic": TOPIC, "source": FolderSource(folder)} | change
    with pytest.raises(error):
        research(arguments.pop("topic"), arguments.pop("source"), **arguments)


def test_a_missing_folder(tmp_path):
    """It is named."""
    with pytest.raises(UsageError, match="nowhere"):
        research(TOPIC, FolderSource(tmp_path / "nowhere"))


class Echo:
    """An extractor of one's own: the last sentence of every document."""

    def facts(self, document, query):
        return tuple(Fact(s.text, document.source, s.location, query.topic, 1.0) for s in document.prose[-1:])

    def questions(self, *_):
        return ()


def test_the_seam_for_another_extractor(folder):
    """Whoever finds facts in another way puts an extractor of two methods in."""
    told = []
    inquiry = Inquiry(topic=TOPIC, source=FolderSource(folder), extractor=Echo(), tell=told.append)
    findings = conduct(inquiry, Setting(agents=2))
    assert {fact.text for fact in findings.facts} > {"It has nothing of the topic."}
    assert len(told) == 8
    assert {type(reading.document) for reading in told} >= {Unreadable}


class Inventing(Echo):
    """An extractor that adds sentences of its own, or puts them where they do not stand."""

    def facts(self, document, query):
        (fact,) = super().facts(document, query)
        far = Location(99, 0, 5, 1)
        made_up = [replace(fact, text="It is made up."), replace(fact, location=far), replace(fact, source="elsewhere")]
        return (*made_up, fact)


def test_nobody_invents_a_sentence(folder):
    """What does not stand word for word at its place is not taken."""
    findings = conduct(Inquiry(topic=TOPIC, source=FolderSource(folder), extractor=Inventing()), Setting(agents=2))
    source = FolderSource(folder)
    assert findings.facts
    assert all(source.read(fact.source).at(fact.location) == fact.text for fact in findings.facts)

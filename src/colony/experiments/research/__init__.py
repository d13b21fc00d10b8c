"""Experiment 3: researchers share facts, questions and the documents they have visited; a synthesiser reports."""

from colony.experiments.research.comparison import RESEARCH
from colony.experiments.research.documents import Document, Entry, Location, Passage, Source, Unreadable
from colony.experiments.research.extraction import Extractor, Fact, PlainExtractor, Query
from colony.experiments.research.folder import FolderSource
from colony.experiments.research.inquiry import Findings, Inquiry, conduct, research
from colony.experiments.research.web import WebSource

__all__ = [
    "RESEARCH",
    "Document",
    "Entry",
    "Extractor",
    "Fact",
    "Findings",
    "FolderSource",
    "Inquiry",
    "Location",
    "Passage",
    "PlainExtractor",
    "Query",
    "Source",
    "Unreadable",
    "WebSource",
    "conduct",
    "research",
]

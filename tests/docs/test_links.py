"""Every relative link of every document leads somewhere, and every document can be found from the index."""

import re
from pathlib import Path

import pytest
from documents import ROOT

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "examples").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")


def targets(page: Path) -> list[str]:
    return [link for link in LINK.findall(page.read_text("utf-8")) if "://" not in link]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    """A link names a file that exists and, after #, a heading of it."""
    for link in targets(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name}: {link}"
        if anchor:
            titles = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)
            assert anchor in [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles], link


def test_every_page_can_be_found():
    """Following links from the README and the index, every page under docs/ is reached."""
    pending, seen = [ROOT / "README.md", ROOT / "docs" / "index.md"], set()
    while pending:
        page = pending.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        pending += [(page.parent / link.partition("#")[0]).resolve() for link in targets(page) if link[0] != "#"]
    logged = set((ROOT / "docs" / "results").glob("*.md"))  # entries of a log; its first page says how they are made
    assert set((ROOT / "docs").rglob("*.md")) - seen - logged == set()

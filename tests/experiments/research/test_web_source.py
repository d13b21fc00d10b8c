"""Web pages as a source, against a real server on this machine: what is fetched, what is refused, and every limit."""

import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from colony.experiments.research import web
from colony.experiments.research.documents import Unreadable
from colony.experiments.research.web import WebSource
from colony.primitives.errors import UsageError

PAGE = "<title>Pipes</title><p>A pipe carries bytes to a child.</p>"


class Handler(BaseHTTPRequestHandler):
    """Answers what the server's `answers` say: (status, headers, body); a body of None never ends, one of "" drips."""

    def do_GET(self):
        self.server.asked.append(self.path)
        status, headers, body = self.server.answers.get(self.path, (404, {}, b""))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if body is None:
            self.wfile.write(b"<p>")
            self.wfile.flush()
            self.server.closing.wait(20)
        elif body == "":
            with suppress(OSError):  # the other side hangs up
                while not self.server.closing.wait(0.01) and self.server.drops.pop():
                    self.wfile.write(b" ")
        else:
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def serving():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.answers, server.asked, server.closing, server.drops = {}, [], threading.Event(), [0] + [1] * 1000
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def server():
    """A server with no pages yet."""
    with serving() as started:
        started.address = f"http://127.0.0.1:{started.server_port}"
        yield started


def page(body, kind="text/html; charset=utf-8", status=200, **headers):
    return status, {"Content-Type": kind, **headers}, body.encode() if body and isinstance(body, str) else body


def test_a_page(server):
    """A page is read with its title, its sentences, and the links beneath the address on the same origin."""
    targets = [
        "b.html#x",
        "/up.html",
        "http://example.org/docs/",
        "sub/c",
        "http://[bad",
        "../docs/../x",
        "file:///etc",
    ]
    links = " ".join(f"<a href='{target}'>T</a>" for target in targets)
    server.answers["/docs/a.html"] = page(f"{PAGE}<p>{links}</p>")
    address = f"{server.address}/docs/a.html"
    source = WebSource([f"{address}#part"])
    assert [entry.source for entry in source.entries()] == [address]
    document = source.read(address)
    assert (document.source, document.title) == (address, "Pipes")
    assert [s.text for s in document.prose] == ["A pipe carries bytes to a child."]
    assert [(e.source, e.title) for e in document.links] == [
        (f"{server.address}/docs/b.html", "T docs b"),
        (f"{server.address}/docs/sub/c", "T docs sub c"),
    ]


def test_nothing_elsewhere_is_asked(server):
    """Neither what is not beneath the address, nor another host, port or scheme, nor steps back in disguise."""
    source = WebSource([f"{server.address}/docs/"])
    elsewhere = ["/", "/docs", "/docs/../x", "/docs/%2e%2e/x", "/docs/%2E%2E%2Fx"]
    for address in [*(server.address + path for path in elsewhere), "http://127.0.0.1:1/docs/", "file:///docs/a"]:
        assert "not beneath" in source.read(address).reason
    assert server.asked == []


def test_redirections(server):
    """They are followed beneath the address, and nowhere else, and not for ever."""
    server.answers["/docs/old"] = (302, {"Location": "new/"}, b"")
    server.answers["/docs/new/"] = page(f"{PAGE}<a href='x'>x</a>")
    server.answers["/docs/out"] = (301, {"Location": "/private"}, b"")
    server.answers["/docs/far"] = (301, {"Location": "http://127.0.0.1:1/docs/"}, b"")
    server.answers["/docs/loop"] = (307, {"Location": "loop"}, b"")
    source = WebSource([f"{server.address}/docs/"])
    moved = source.read(f"{server.address}/docs/old")
    assert [link.source for link in moved.links] == [f"{server.address}/docs/new/x"]
    assert "not beneath" in source.read(f"{server.address}/docs/out").reason
    assert "not beneath" in source.read(f"{server.address}/docs/far").reason
    assert source.read(f"{server.address}/docs/loop").reason == "more than 5 redirections"
    assert server.asked.count("/docs/loop") == 6
    assert "/private" not in server.asked


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((404, {}, b""), "the server says 404 Not Found"),
        ((500, {}, b""), "the server says 500"),
        (page("x", "image/png"), "image/png: no kind of document"),
        (page(b"\x1f\x8b", **{"Content-Encoding": "gzip"}), "compressed"),
        (page(b"caf\xe9"), "not UTF-8"),
        (page("x", "text/html; charset=none-such"), "LookupError"),
        (page("x" * 50, **{"Content-Length": "90"}), "cut off 40 bytes"),
        (page("x" * 200), "larger than 100 bytes"),
    ],
)
def test_unreadable_pages(server, monkeypatch, answer, reason):
    """What is not there, not text, not whole or too large is told with its reason."""
    monkeypatch.setattr(web, "RESEARCH_DOCUMENT_BYTES_MAX", 100)
    server.answers["/a"] = answer
    found = WebSource([f"{server.address}/a"]).read(f"{server.address}/a")
    assert isinstance(found, Unreadable)
    assert reason in found.reason


@pytest.mark.parametrize("body", [None, ""])
def test_a_page_that_never_ends(server, body):
    """A server that answers a little and then nothing, or for ever a little, is cut off when the time is up."""
    server.answers["/a"] = page(body)
    found = WebSource([f"{server.address}/a"], page_seconds_max=0.2).read(f"{server.address}/a")
    assert found.reason == "took longer than 0.2 seconds"


def test_nobody_listens():
    """A connection that is refused is told."""
    with serving() as server:
        address = f"http://127.0.0.1:{server.server_port}/"
    assert "ConnectionRefusedError" in WebSource([address]).read(address).reason


def test_other_kinds_and_other_alphabets(server):
    """Plain text and Markdown are read as such, and text in another encoding that it names."""
    server.answers["/a"] = page("Le café est tout près d'ici.".encode("latin-1"), "text/plain; charset=iso-8859-1")
    server.answers["/b"] = page("# Title\n\nSome text.", "text/markdown")
    source = WebSource([f"{server.address}/"])
    assert source.read(f"{server.address}/a").passages[0].text == "Le café est tout près d'ici."
    assert source.read(f"{server.address}/b").title == "Title"


def test_addresses_are_asked_as_they_may_be(server):
    """Blanks and letters beyond ASCII are encoded; what is encoded already stays as it is."""
    server.answers["/a%20b%C3%A9?q=%20"] = page(PAGE)
    assert WebSource([f"{server.address}/"]).read(f"{server.address}/a b%C3%A9?q=%20").title == "Pipes"


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("file:///etc/passwd", "only addresses that begin with http"),
        ("ftp://example.org/", "only addresses"),
        ("example.org/docs", "only addresses"),
        ("http://", "only addresses"),
        ("http://example.org:x/", "example.org:x"),
        ("http://me:secret@example.org/", "holds a name or a password"),
        ("http://example.org/" + "a" * 300, "characters"),
    ],
)
def test_addresses_that_are_refused(address, reason):
    """Only http and https, without passwords, and not without end; a password is not repeated."""
    with pytest.raises(UsageError, match=reason) as refused:
        WebSource([address])
    assert "secret" not in str(refused.value)


def test_no_address():
    """There has to be one."""
    with pytest.raises(UsageError, match="no address"):
        WebSource([])

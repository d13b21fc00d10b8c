"""Web pages as a source: the addresses that somebody gave, and what they link to beneath them on the same origin.

Beneath an address is what shares its scheme, host, port, and path up to the last `/`. Nothing else is asked for, be it
a link or a redirection. What this file does not do: scripts, cookies, passwords, proxies, compressed answers, or
`robots.txt`: whoever gives an address answers for asking there.
"""

from __future__ import annotations

import http.client
import posixpath
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Event, Timer
from typing import Final
from urllib.parse import quote, unquote, urldefrag, urljoin, urlsplit, urlunsplit

from colony.experiments.research.documents import Document, Entry, Unreadable
from colony.experiments.research.formats import BY_MEDIA_TYPE, content_of
from colony.primitives.errors import UsageError
from colony.primitives.limits import (
    RESEARCH_DOCUMENT_BYTES_MAX,
    RESEARCH_LINKS_PER_DOCUMENT_MAX,
    RESEARCH_SOURCE_CHARACTERS_MAX,
    WEB_PAGE_SECONDS_MAX,
    WEB_REDIRECTS_MAX,
)

_PORTS: Final = {"http": 80, "https": 443}
_HEADERS: Final = {"User-Agent": "colony-research", "Accept-Encoding": "identity", "Connection": "close"}
_REDIRECTIONS: Final = frozenset({301, 302, 303, 307, 308})


class WebSource:
    """Pages beneath the given addresses; an id is an address without its fragment."""

    def __init__(self, addresses: Sequence[str], *, page_seconds_max: float = WEB_PAGE_SECONDS_MAX) -> None:
        """Take the addresses to begin at.

        Raises:
            UsageError: none, or one that is no http or https address, holds a password, or is too long.

        """
        if not addresses:
            raise UsageError("no address to begin at; give one that begins with http:// or https://")
        self._starts = tuple(dict.fromkeys(map(_checked, addresses)))
        self._page_seconds_max = page_seconds_max

    def entries(self) -> tuple[Entry, ...]:
        """The addresses to begin at; the rest is found by reading."""
        return tuple(Entry(address, _title(address)) for address in self._starts)

    def read(self, source: str) -> Document | Unreadable:
        """Fetch one page."""
        try:
            answer = self._fetch(source)
        except _RefusedError as refused:
            return Unreadable(source, str(refused))
        except TimeoutError:
            return Unreadable(source, _too_slow(self._page_seconds_max))
        except (OSError, http.client.HTTPException, ValueError, LookupError) as error:
            return Unreadable(source, f"{type(error).__name__}: {error}"[:200])
        content = content_of(answer.data, BY_MEDIA_TYPE[answer.media_type], source)
        if isinstance(content, Unreadable):
            return content
        links = self._links(answer.address, content.links)
        return Document(source, content.title or _title(source), content.passages, links)

    def _fetch(self, address: str) -> _Answer:
        """What the address answers, after redirections beneath the starts."""
        for _ in range(WEB_REDIRECTS_MAX + 1):
            if not self._is_ours(address):
                raise _RefusedError(f"leads to {address[:100]}, which is not beneath what was given")
            answer = _get(address, self._page_seconds_max)
            if isinstance(answer, _Answer):
                return answer
            address = urldefrag(urljoin(address, answer)).url
        raise _RefusedError(f"more than {WEB_REDIRECTS_MAX} redirections")

    def _links(self, page: str, links: Iterable[tuple[str, str]]) -> tuple[Entry, ...]:
        found: dict[str, Entry] = {}
        for target, text in links:
            with suppress(ValueError):  # no address at all, as people write them
                address = urldefrag(urljoin(page, target)).url
                if address != page and self._is_ours(address):
                    found.setdefault(address, Entry(address, f"{text} {_title(address)}".strip()))
        return tuple(found.values())[:RESEARCH_LINKS_PER_DOCUMENT_MAX]

    def _is_ours(self, address: str) -> bool:
        origin, path = _parts(address)
        steps_back = ".." in unquote(path).split("/")
        is_beneath = any(origin == its and path.startswith(beneath) for its, beneath in map(_beneath, self._starts))
        return is_beneath and not steps_back and len(address) <= RESEARCH_SOURCE_CHARACTERS_MAX


class _RefusedError(Exception):
    """A page is not fetched, or not taken; the message says why."""


@dataclass(frozen=True, slots=True)
class _Answer:
    address: str
    media_type: str
    data: bytes


def _get(address: str, seconds_max: float) -> _Answer | str:
    """What one request answers: a page, or where else to ask."""
    parts = urlsplit(address)
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=seconds_max)
    try:
        connection.connect()
        with _ended_after(seconds_max, connection.sock):
            connection.request("GET", _target(address), headers=_HEADERS)
            response = connection.getresponse()
            location = response.getheader("Location")
            if response.status in _REDIRECTIONS and location:
                return location
            return _Answer(address, _media_type(response), _text(response, _body(response)))
    finally:
        connection.close()


@contextmanager
def _ended_after(seconds: float, connection: socket.socket) -> Iterator[None]:
    """Cut the connection when the time is up, whatever it is doing: one that drips has no other end."""
    is_over = Event()

    def cut() -> None:
        is_over.set()
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    timer = Timer(seconds, cut)
    timer.start()
    try:
        yield
    except (OSError, http.client.HTTPException, ValueError) as error:
        if is_over.is_set():
            raise _RefusedError(_too_slow(seconds)) from error
        raise
    finally:
        timer.cancel()
        timer.join()
    if is_over.is_set():
        raise _RefusedError(_too_slow(seconds))


def _too_slow(seconds: float) -> str:
    return f"took longer than {seconds:g} seconds"


def _media_type(response: http.client.HTTPResponse) -> str:
    if response.status != http.HTTPStatus.OK:
        raise _RefusedError(f"the server says {response.status} {response.reason}"[:200])
    media_type = response.headers.get_content_type()
    if media_type not in BY_MEDIA_TYPE:
        raise _RefusedError(f"{media_type}: no kind of document that is read")
    if response.getheader("Content-Encoding", "identity") != "identity":
        raise _RefusedError("compressed, though that was not asked for")
    return media_type


def _body(response: http.client.HTTPResponse) -> bytes:
    chunks = bytearray()
    while chunk := response.read1(65_536):
        chunks += chunk
        if len(chunks) > RESEARCH_DOCUMENT_BYTES_MAX:
            raise _RefusedError(f"larger than {RESEARCH_DOCUMENT_BYTES_MAX} bytes")
    if response.length:
        raise _RefusedError(f"cut off {response.length} bytes before its end")
    return bytes(chunks)


def _text(response: http.client.HTTPResponse, data: bytes) -> bytes:
    """The body in UTF-8, if it says that it is text in something else."""
    charset = response.headers.get_content_charset("utf-8")
    return data if charset in {"utf-8", "utf8", "us-ascii"} else data.decode(charset).encode()


def _checked(address: str) -> str:
    address = urldefrag(address.strip()).url
    try:
        origin, _ = _parts(address)
    except ValueError as error:
        raise UsageError(f"{address[:100]!r}: {error}; give an address such as https://example.org/docs/") from error
    parts = urlsplit(address)
    if origin[0] not in _PORTS or not parts.hostname:
        raise UsageError(f"{address[:100]!r}: only addresses that begin with http:// or https:// are read")
    if "@" in parts.netloc:
        raise UsageError(f"the address at {parts.hostname} holds a name or a password; give one without")
    if len(address) > RESEARCH_SOURCE_CHARACTERS_MAX:
        raise UsageError(f"an address of {len(address)} characters; {RESEARCH_SOURCE_CHARACTERS_MAX} are allowed")
    return address


Origin = tuple[str, str, int | None]


def _parts(address: str) -> tuple[Origin, str]:
    """Scheme, host and port of an address, and its path."""
    parts = urlsplit(address)
    port = parts.port if parts.port is not None else _PORTS.get(parts.scheme)
    return (parts.scheme, parts.hostname or "", port), parts.path or "/"


def _beneath(start: str) -> tuple[Origin, str]:
    origin, path = _parts(start)
    return origin, path[: path.rindex("/") + 1]


def _target(address: str) -> str:
    """What stands in the request line: no blanks, no control characters, nothing beyond ASCII."""
    parts = urlsplit(address)
    return quote(urlunsplit(("", "", parts.path or "/", parts.query, "")), safe="/%?:@!$&'()*+,;=~")


def _title(address: str) -> str:
    """The words of an address's path, or its host where it has none."""
    parts = urlsplit(address)
    path = posixpath.splitext(unquote(parts.path))[0]
    return " ".join(path.replace("/", " ").replace("-", " ").replace("_", " ").split()) or parts.hostname or address

"""Fingerprints of errors: `type:hash`, the same for the same error on another day, machine, line or process.

Rules, version 1, in this order.

**Replaced in each line**, by a word in angle brackets: terminal escapes (by nothing), quoted values, URLs, UUIDs,
addresses of mail and of git over SSH, paths and file names with their positions, times and dates, durations, sizes, IP
addresses and host names with their ports, hexadecimal numbers and SHAs, all other numbers, process ids among them;
numbers inside a word (E0308, python3.11) and after words such as `errno`, `exit code` and `http` say what the error is,
and stay. **Then** case is folded and white space made single. **Lines that count**: of a Python traceback the exception
that ends the last one; else all lines that name an error and are no frame of a stack, without repeats, the first eight;
where no line does, the last three. **Types**: the first of `TYPES` whose pattern occurs. The whole is done again until
nothing changes, so that a normalised text is its own normal form.

The version is part of the hash, so that fingerprints of two versions never meet. What this file does not do: remember
which task met an error, or what fixed it (ledger.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from colony.primitives.encoding import sha256
from colony.primitives.limits import ERROR_CHARACTERS_MAX

VERSION: Final = 1
LINES_MAX: Final = 8
LINE_CHARACTERS_MAX: Final = 300
LINE_READ_CHARACTERS_MAX: Final = 1_000  # some rules take time in the square of a line's length
HASH_DIGITS: Final = 16  # 64 bits: a collision by chance is as likely as not among five thousand million errors

Type = Literal["parse", "perm", "missing", "cmd", "timeout", "unknown"]

_EXTENSIONS: Final = (
    "c|cc|cpp|cxx|h|hpp|py|pyi|pyc|ipynb|js|jsx|mjs|cjs|ts|tsx|rs|go|mod|sum|java|kt|class|jar|rb|php|pl|lua|swift|cs|sh|"
    "json|jsonl|toml|ya?ml|xml|html?|css|scss|md|rst|txt|lock|cfg|ini|conf|env|csv|tsv|log|sql|sqlite3?|db|proto|tf|so|"
    "dll|dylib|a|o|exe|zip|gz|tgz|tar|whl|pem|key|crt|png|svg|pdf|gradle|cmake|mk|git"
)
_POSITION: Final = r"(?:::[\w.\[\]-]+)*(?::\d+){0,2}(?:\(\d+(?:,\d+)?\))?"
_TOP_LEVELS: Final = "com|org|net|io|dev|local|internal|edu|gov|ai|app|co|eu|uk|de|fr|ch|nl"
_MONTHS: Final = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_DURATIONS: Final = "ns|us|µs|ms|s|secs?|seconds?|milliseconds?|m|mins?|minutes?|h|hrs?|hours?|days?"
_CODE: Final = r"\b(?:https?(?:/[\d.]+)?|status(?: code)?|errno|exit (?:code|status)|code|signal)[ :=#]*\(?-?\d{1,3}\b"

_RULES: Final[Sequence[tuple[re.Pattern[str], str]]] = [
    (re.compile(pattern, re.IGNORECASE), word)
    for pattern, word in (
        (r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f]", ""),
        (r"\u2018[^\u2018\u2019\n]*\u2019|\u201c[^\u201c\u201d\n]*\u201d|`[^`'\n]*[`']", "<value>"),
        (r"(?<!\w)'[^'\n]*'(?!\w)|(?<!\w)\"[^\"\n]*\"(?!\w)", "<value>"),
        (r"\b[a-z][a-z0-9+.-]*://[^\s<>\"')\]]+", "<url>"),
        (r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", "<id>"),
        (r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+(?::[\w./~-]+)?", "<mail>"),
        (rf"(?<![\w<])[a-z]:\\[^\s:*?\"<>|]+{_POSITION}", "<path>"),
        (rf"(?<![\w<>/.])(?:~|\.\.?)?/[^\s:,;()'\"<>\[\]]+{_POSITION}", "<path>"),
        (rf"(?<![\w<>/.@])(?!https?/\d)@?[\w.+-]+(?:/[\w.@+-]+)+/?{_POSITION}", "<path>"),
        (rf"(?<![\w<>/.])[\w+-]+(?:\.[\w+-]+)*\.(?:{_EXTENSIONS})\b{_POSITION}", "<path>"),
        (r"^\[ *\d+\.\d+\]", "<time>"),
        (r"\b\d{4}-\d\d-\d\d(?:[t ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)?(?:z\b|[+-]\d\d:?\d\d)?", "<time>"),
        (rf"\b(?:{_MONTHS})[a-z]* \d{{1,2}}\b(?:,? \d{{4}}\b)?", "<time>"),
        (r"\b\d{1,2}:\d\d:\d\d(?:[.,]\d+)?\b", "<time>"),
        (rf"(?<![\w.])(?:\d+(?:\.\d+)?[hms])+\b|(?<![\w.])\d+(?:\.\d+)?[ -]?(?:{_DURATIONS})\b", "<duration>"),
        (r"(?<![\w.])\d+(?:\.\d+)?[ -]?(?:bytes?|[kmgt]i?b)\b", "<size>"),
        (r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b|\[[0-9a-f]*:[0-9a-f:.]*\](?::\d+)?", "<host>"),
        (rf"(?<![\w./@-])(?:localhost|(?:[a-z0-9-]+\.)+(?:{_TOP_LEVELS}))(?::\d+)?(?!\w|[./-]\w)", "<host>"),
        (r"\b0x[0-9a-f]+\b|\b(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{7,64}\b", "<number>"),
    )
]
_NUMBER: Final = re.compile(rf"({_CODE})|(?<![\w.])[-+]?v?\d+(?:[.,:]\d+)*(?![\w])", re.IGNORECASE)

_NAMES_ERROR: Final = re.compile(
    r"error|exception|fail|fatal|panic|denied|refused|forbidden|unauthori[sz]ed|not (?:found|permitted|recogni[sz]ed|"
    r"defined|allowed|resolve|a git)|no such|no module|no rule|cannot|can't|could not|unable|unknown|unrecogni[sz]ed|"
    r"invalid|unexpected|undefined|undeclared|unresolved|missing|time[d-]? ?out|deadline|abort|killed|segmentation|"
    r"conflict|does not exist|doesn't exist|out of memory|no space"
)
_FRAME: Final = re.compile(
    r"at \S.*\(.*\)$|at <path>|file <value>, line|#?<number>:? |during handling of|the above exc"
)
_TRACEBACK: Final = "traceback (most recent call last)"

_TYPE_PATTERNS: Final[Sequence[tuple[Type, str]]] = (
    ("timeout", r"tim(?:ed|e)[ -]?out|deadline ?(?:has )?(?:been )?exceeded|etimedout|took too long"),
    ("perm", (
        r"permission ?(?:was )?denied|permissionerror|not permitted|eacces|eperm\b|access (?:is )?denied|forbidden|"
        r"unauthori[sz]ed|not authori[sz]ed|authentication failed|could not read username|publickey|http\S* 40[13]|"
        r"read-only file system|must be (?:root|owner|superuser)|insufficient (?:privilege|permission)"
    )),
    ("cmd", (
        r"command not found|not recogni[sz]ed as an internal|executable file not found|no such (?:command|option)|"
        r"(?:unknown|unrecogni[sz]ed|invalid|illegal) (?:command|option|argument|flag|switch|subcommand)|"
        r"unexpected argument|is not a (?:git|docker|npm) command|spawn \S+ enoent|^usage:"
    )),
    ("parse", (
        r"syntax ?error|parse ?error|parsing|invalid (?:syntax|json|yaml|toml|character)|decodeerror|expecting|"
        r"unexpected (?:token|end|eof|character|identifier|indent|keyword)|indentation ?error|unterminated|malformed|"
        r"(?:not|to) parse|mapping values|is not valid json|expected .{1,60} found|"
            r"expected expression|expected <value> before"
    )),
    ("missing", (
        r"no such|not found|modulenotfound|no module named|cannot find|(?:could|can) ?not (?:find|resolve|locate)|"
        r"(?:does not|doesn't) exist|enoent|missing|undefined|undeclared|unresolved|has no attribute|keyerror|"
        r"nameerror|not defined|no rule to make|unable to (?:find|locate|resolve)|importerror|cannot import|"
        r"no matching|no required module|does not resolve"
    )),
    ("cmd", r"exit(?:ed)? (?:with )?(?:code|status)|non-zero exit|exited with|returned \S+ exit"),
)  # fmt: skip
TYPES: Final = [(kind, re.compile(pattern)) for kind, pattern in _TYPE_PATTERNS]
"""The types in the order of precedence; `cmd` comes twice, since a bare exit code says least."""


class Fingerprint(NamedTuple):
    """A fingerprint with the normalised text that it is made of; `str` of it is `type:hash`."""

    type: Type
    hash: str
    text: str

    def __str__(self) -> str:
        """`missing:9f2c...`."""
        return f"{self.type}:{self.hash}"


def fingerprint(raw: str) -> Fingerprint:
    """The fingerprint of what a tool wrote when it failed; of a long text the end counts."""
    text = normalised(raw)
    digest = sha256(f"{VERSION}\n{text}".encode("utf-8", "replace")).hex()
    return Fingerprint(type_of(text), digest[:HASH_DIGITS], text)


def normalised(raw: str) -> str:
    """What is left of an error when all that differs between two occasions is replaced. It is its own normal form.

    A pass that changes anything leaves fewer lines, quotes, digits, slashes, dots or at-signs, or less text: it ends.
    """
    text, once = raw[-ERROR_CHARACTERS_MAX:], ""
    while text != (once := _pass(text)):
        text = once
    return text


def type_of(text: str) -> Type:
    """The type of a normalised text: the first in `TYPES` whose pattern occurs."""
    return next((kind for kind, pattern in TYPES if pattern.search(text)), "unknown")


def _pass(text: str) -> str:
    lines = [_replaced(line[:LINE_READ_CHARACTERS_MAX]).lower() for line in text.splitlines()]
    return "\n".join(" ".join(line.split())[:LINE_CHARACTERS_MAX].strip() for line in _counting(lines))


def _replaced(line: str) -> str:
    for pattern, word in _RULES:
        line = pattern.sub(word, line)
    return _NUMBER.sub(_unless_code, line)


def _unless_code(match: re.Match[str]) -> str:
    return match[1] or "<number>"


def _counting(lines: Sequence[str]) -> list[str]:
    """The lines that say which error it is."""
    filled = [line for line in lines if line.strip()]
    headers = [place for place, line in enumerate(filled) if _TRACEBACK in line]
    if headers:
        after = (line for line in filled[headers[-1] + 1 :] if not line[0].isspace())
        ending = next(after, None)
        if ending is not None:
            return [ending]
    naming = [line for line in filled if _NAMES_ERROR.search(line) and not _FRAME.match(line.strip())]
    return list(dict.fromkeys(naming))[:LINES_MAX] or filled[-3:]

"""Program candidates: source files with marked regions that may change; everything outside them is frozen.

Lines holding EVOLVE-BLOCK-START and EVOLVE-BLOCK-END mark a mutable region (the convention of the field). It neither
runs programs nor changes them: it says what is frozen and whether a candidate kept it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from colony.primitives.errors import ProblemError
from colony.primitives.limits import PROGRAM_BYTES_MAX

START, END = "EVOLVE-BLOCK-START", "EVOLVE-BLOCK-END"


@dataclass(frozen=True)
class Program:
    """The seed's files by relative path, and the function that the evaluator calls (`entry`, in the first file).

    `imports` are the modules that a mutable region may import; empty means any that the sandbox has.

    Raises:
        ProblemError: no file, no mutable region, unpaired markers, or a file that is too large.

    """

    files: Mapping[str, str]
    entry: str = ""
    imports: tuple[str, ...] = ()
    regions: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = field(init=False)

    def __post_init__(self) -> None:
        if not self.files:
            raise ProblemError("program: there is no initial file")
        split = {path: split_regions(text, path) for path, text in self.files.items()}
        object.__setattr__(self, "regions", split)
        if not any(mutable for _frozen, mutable in split.values()):
            raise ProblemError(f"program: no mutable region; put lines with {START} and {END} round what may change")

    def faults(self, files: Any) -> list[str]:
        """Every reason why `files` is no candidate: frozen text changed, files added or lost, too large."""
        if not isinstance(files, Mapping) or set(files) != set(self.files):
            return [f"a candidate holds exactly these files: {', '.join(sorted(self.files))}"]
        faults = []
        for path, text in files.items():
            if not isinstance(text, str) or len(text.encode("utf-8", "replace")) > PROGRAM_BYTES_MAX:
                faults.append(f"{path}: must be text of at most {PROGRAM_BYTES_MAX} bytes")
                continue
            try:
                frozen, _mutable = split_regions(text, path)
            except ProblemError as error:
                faults.append(str(error))
                continue
            if frozen != self.regions[path][0]:
                faults.append(f"{path}: text outside the mutable regions was changed")
        return faults

    def as_record(self) -> dict[str, Any]:
        """The JSON-able frozen part: what a score depends on besides the evaluator."""
        frozen = {path: list(parts[0]) for path, parts in self.regions.items()}
        return {"frozen": frozen, "entry": self.entry, "imports": list(self.imports)}


def split_regions(text: str, path: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The frozen pieces (marker lines included) and the mutable pieces between them, in order.

    A text without markers is one frozen piece. `join_regions` is the inverse.

    Raises:
        ProblemError: markers that do not pair.

    """
    frozen: list[str] = [""]
    mutable: list[str] = []
    inside = False
    for line in text.splitlines(keepends=True):
        if START in line:
            if inside:
                raise ProblemError(f"{path}: a second {START} before {END}")
            inside = True
            frozen[-1] += line
            mutable.append("")
        elif END in line:
            if not inside:
                raise ProblemError(f"{path}: {END} without {START}")
            inside = False
            frozen.append(line)
        elif inside:
            mutable[-1] += line
        else:
            frozen[-1] += line
    if inside:
        raise ProblemError(f"{path}: {START} without {END}")
    return tuple(frozen), tuple(mutable)


def join_regions(frozen: tuple[str, ...], mutable: tuple[str, ...]) -> str:
    """The text whose pieces these are."""
    assert len(frozen) == len(mutable) + 1, "frozen pieces stand round the mutable ones"
    return "".join(part for pair in zip(frozen, (*mutable, ""), strict=True) for part in pair)

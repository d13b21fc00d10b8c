"""Every exception Colony raises, in one tree: who is to blame, and the exit code a command ends with.

A failed *experiment* is data and never an exception; what stands here stops a command.

    ColonyError                          exit
    ├── UsageError                        2   the caller: an argument or option that makes no sense
    ├── ProblemError                      3   the problem's author: its folder, space, metric or evaluator
    │   └── WeakEvaluatorError            4   the problem's author: a cheat wins against the evaluator
    ├── JournalError                      5   the disk, or somebody who changed the file
    │   ├── JournalCorruptError           5   the bytes are not what was signed; names the sequence at fault
    │   ├── JournalBusyError              6   another process holds the journal
    │   ├── JournalVersionError           7   a newer Colony wrote it
    │   ├── JournalFullError              8   the disk is full; nothing acknowledged was lost
    │   └── JournalConflictError          -   the writer: the expected sequence has moved (a normal answer)
    ├── IsolationError                    9   the machine: it cannot isolate what was asked to run
    ├── BudgetError                      10   the caller: a budget too small for one cycle, or used up
    ├── NothingVerifiedError             11   the run: it ended with nothing that could be verified
    ├── ProposalsFailedError             12   the run: every proposal failed
    ├── InterruptedRunError             130   the person who pressed Ctrl-C; everything is kept
    ├── TransactionError                  -   the programmer: a misuse of shared memory
    ├── MemoryGoneError                  16   the process that served shared memory, or whoever ended it
    ├── LimitError                       13   whoever sent something larger than a stated limit
    ├── EncodingError                    14   whoever sent a value or bytes that JSON cannot carry
    ├── NoRouteError                     17   the routing table or the moment: nobody able and free may do the task
    ├── ConfinementError                 18   whoever made the call: it would have left this machine, and must not
    ├── RepositoryError                  19   the caller: no git repository here, or one that git cannot work with
    │   └── RemoteError                  20   the other repository: it refused or did not answer; ours is intact
    ├── ClaimError                       21   the caller: the task is another's, on hold, or the claim is stale
    ├── CommitError                      22   the caller: no commit, or the wrong one, for a finished task
    ├── MatrixFaultsError                23   whoever wrote records that are damaged, forged or contradict each other
    └── KeyFileError                     15   the machine's owner: a secret lies open, or is no secret

Each message is one sentence with what, where and what to do next. What this file does not do: print, log or exit.
"""

from __future__ import annotations


class ColonyError(Exception):
    """The root: everything Colony raises on purpose. `exit_code` is what a command ends with."""

    exit_code = 1


class UsageError(ColonyError):
    """An argument or option makes no sense."""

    exit_code = 2


class ProblemError(ColonyError):
    """A problem's folder, space, metric or evaluator is wrong; the message names the file and the key."""

    exit_code = 3


class WeakEvaluatorError(ProblemError):
    """A cheat wins against the evaluator, so no score of it could be believed."""

    exit_code = 4


class JournalError(ColonyError):
    """A journal cannot be used; it is left as it was."""

    exit_code = 5


class JournalCorruptError(JournalError):
    """The bytes are not what was signed. `sequence` is the first record at fault, or None if the file is no journal."""

    def __init__(self, message: str, sequence: int | None = None) -> None:
        super().__init__(message)
        self.sequence = sequence


class JournalBusyError(JournalError):
    """Another process holds the journal."""

    exit_code = 6


class JournalVersionError(JournalError):
    """A newer Colony wrote the journal."""

    exit_code = 7


class JournalFullError(JournalError):
    """The disk is full. Nothing acknowledged was lost; what was being appended was not acknowledged."""

    exit_code = 8


class JournalConflictError(JournalError):
    """The expected sequence has moved: read again and decide again."""


class IsolationError(ColonyError):
    """This machine cannot isolate what was asked to run; the message names the command that would mend it."""

    exit_code = 9


class BudgetError(ColonyError):
    """A budget is too small for one cycle, or used up."""

    exit_code = 10


class NothingVerifiedError(ColonyError):
    """The run ended and no candidate could be verified."""

    exit_code = 11


class ProposalsFailedError(ColonyError):
    """Every proposal failed; the message says how."""

    exit_code = 12


class InterruptedRunError(ColonyError):
    """Somebody stopped the run; everything is kept, and the message names the command that goes on."""

    exit_code = 130


class TransactionError(ColonyError):
    """Shared memory was misused: a variable of another memory, a body that never ends, an effect inside."""


class MemoryGoneError(ColonyError):
    """Nobody serves shared memory at a socket, or no longer; `is_outcome_unknown` if a commit was under way."""

    exit_code = 16

    def __init__(self, message: str, *, is_outcome_unknown: bool = False) -> None:
        super().__init__(message)
        self.is_outcome_unknown = is_outcome_unknown


class LimitError(ColonyError):
    """Something is larger than a stated limit."""

    exit_code = 13


class EncodingError(ColonyError):
    """A value that JSON cannot carry, or bytes that are no JSON."""

    exit_code = 14


class KeyFileError(ColonyError):
    """A file of secrets can be read by others, is damaged, or cannot be kept."""

    exit_code = 15


class NoRouteError(ColonyError):
    """No model or agent that is able, allowed, available and free can do the task; the message says why not each."""

    exit_code = 17


class ConfinementError(ColonyError):
    """A call would have left this machine, or gone elsewhere than its route says; it was not made."""

    exit_code = 18


class RepositoryError(ColonyError):
    """There is no git repository here, or git cannot work with it; nothing was changed."""

    exit_code = 19


class RemoteError(RepositoryError):
    """Another repository refused or did not answer; what is here is intact, so try again later."""

    exit_code = 20


class ClaimError(ColonyError):
    """A task cannot be claimed or finished: it is another's, on hold, in the way of another, or the claim is stale."""

    exit_code = 21


class CommitError(ColonyError):
    """A task's commit is missing, is not reachable, or does not name this task and no other."""

    exit_code = 22


class MatrixFaultsError(ColonyError):
    """Some records are not as they should be; they are set aside and reported, and the good part works."""

    exit_code = 23

"""The limits of everything, in one table; the unit stands last in the name.

What this file does not hold: budgets of a run (governance) and limits of one sandbox (sandbox), which users set.
"""

from __future__ import annotations

from typing import Final

RECORD_BYTES_MAX: Final = 8 * 1024 * 1024
RECORDS_PER_APPEND_MAX: Final = 100_000
RECORDS_QUEUED_MAX: Final = 1_000_000
FAULTS_REPORTED_MAX: Final = 1_000
JSON_DEPTH_MAX: Final = 64
INTEGER_MAX: Final = 2**53 - 1  # what canonical JSON (RFC 8785) carries exactly
KIND_CHARACTERS_MAX: Final = 64
PUBLIC_KEYS_CACHED_MAX: Final = 16_384

PROBLEM_FILE_BYTES_MAX: Final = 4 * 1024 * 1024
PROBLEM_FILES_MAX: Final = 2_000
PROGRAM_BYTES_MAX: Final = 256 * 1024
SPACE_VARIABLES_MAX: Final = 10_000
STATEMENT_CHARACTERS_MAX: Final = 20_000
ARTIFACT_CHARACTERS_MAX: Final = 20_000  # all artifacts of one evaluation together

AGENTS_MAX: Final = 10_000
WORKERS_MAX: Final = 256
BATCH_EXPERIMENTS_MAX: Final = 4_096
WINDOW_BATCHES_MAX: Final = 1_024

TRANSACTION_ATTEMPTS_MAX: Final = 100_000
TRANSACTION_DEPTH_MAX: Final = 128  # nested parts; each takes a few frames of the interpreter's thousand
TRANSACTION_LOSSES_MAX: Final = 32  # lost runs after which a transaction is given the memory to itself
TRANSACTION_READS_MAX: Final = 1_000_000
TRANSACTION_STEPS_MAX: Final = 10_000_000  # writes and repeated reads in one run of a body: some seconds

VARIABLES_MAX: Final = 100_000  # of one named memory
VARIABLE_BYTES_MAX: Final = 4 * 1024 * 1024  # one value, as JSON
VARIABLE_NAME_CHARACTERS_MAX: Final = 256

SOCKET_PATH_BYTES_MAX: Final = 103  # what fits everywhere: 107 on Linux, 103 on macOS
REMOTE_MESSAGE_BYTES_MAX: Final = 32 * 1024 * 1024
REMOTE_VARIABLES_MAX: Final = 10_000  # that one process uses of a memory served by another
REMOTE_CONNECTIONS_MAX: Final = 512
REMOTE_REQUESTS_MAX: Final = 10_000  # under way at once, waiting ones included
REMOTE_LOSSES_MAX: Final = 8  # refused commits after which a process is given its turn
REMOTE_TURN_SECONDS_MAX: Final = 1  # how long others wait for a process whose turn it is
REMOTE_GREETING_SECONDS_MAX: Final = 10

KNOWN_CANDIDATES_MAX: Final = 100_000  # what one agent remembers of its own proposals
LINEAGES_MAX: Final = 100_000  # experiments whose line of descent an archive remembers

TEAM_AGENTS_MAX: Final = 256  # threads of one trial
TRIALS_MAX: Final = 100_000  # of one comparison

RESEARCH_DOCUMENTS_MAX: Final = 5_000  # of one source
RESEARCH_DOCUMENT_BYTES_MAX: Final = 8 * 1024 * 1024
RESEARCH_PDF_PAGES_MAX: Final = 1_000
RESEARCH_PASSAGES_MAX: Final = 50_000  # paragraphs of one document
RESEARCH_PASSAGE_CHARACTERS_MAX: Final = 100_000
RESEARCH_SOURCE_CHARACTERS_MAX: Final = 220  # a path or an address; it is part of a variable's name
RESEARCH_TOPIC_CHARACTERS_MAX: Final = 200  # it is part of a variable's name
RESEARCH_QUESTIONS_MAX: Final = 64  # asked in one research
RESEARCH_FACTS_PER_DOCUMENT_MAX: Final = 100
RESEARCH_LINKS_PER_DOCUMENT_MAX: Final = 1_000
WEB_REDIRECTS_MAX: Final = 5
WEB_PAGE_SECONDS_MAX: Final = 20.0  # from the request to the last byte

TASK_ID_CHARACTERS_MAX: Final = 80
TASK_TITLE_CHARACTERS_MAX: Final = 500
TASK_STARS_MAX: Final = 12
TASK_SCOPES_MAX: Final = 64
TASK_LABELS_MAX: Final = 32
TASK_PATH_CHARACTERS_MAX: Final = 1_024  # one path of a scope
TASK_WORD_CHARACTERS_MAX: Final = 200  # a label, an agent's name, a kind, a hint, a commit
TASK_HEAT_MAX: Final = 1_000_000.0  # a human's override of heat or complexity, in either direction
TASK_ESTIMATE_SECONDS_MAX: Final = 1e9
TASK_FENCE_STEP_MAX: Final = 1_000  # claims that may be missing between two that are known
TASK_REASON_CHARACTERS_MAX: Final = 2_000
TASK_BATCH_BYTES_MAX: Final = 4 * 1024 * 1024  # of the items of one record of a large import
CLOCK_AHEAD_SECONDS_MAX: Final = 600  # a record from further in the future waits

ROUTING_FILE_CHARACTERS_MAX: Final = 1_000_000
ERROR_CHARACTERS_MAX: Final = 20_000  # of one error, from its end, that count for its fingerprint
ROUTING_NAMES_MAX: Final = 1_000  # providers, models or agents of one routing table

GIT_SECONDS_MAX: Final = 120.0  # one call of git, a push or a fetch included
GIT_OUTPUT_BYTES_MAX: Final = 1024 * 1024 * 1024
GIT_ERROR_BYTES_MAX: Final = 64 * 1024  # of what git says was wrong
GIT_ATTEMPTS_MAX: Final = 64  # to change a ref that others change too
GIT_LOCK_SECONDS_MAX: Final = 30  # a ref's lock that is older was left by a process that was killed
SHARD_PIECE_BYTES_MAX: Final = 64 * 1024  # records of one author after which the next file begins
SHARD_FILE_BYTES_MAX: Final = 64 * 1024 * 1024  # one file of records
SHARD_AUTHORS_MAX: Final = 10_000
CLAIM_BYTES_MAX: Final = 64 * 1024
CLAIM_SECONDS_MAX: Final = 7 * 24 * 3600  # a lease

IMPORT_BYTES_MAX: Final = 256 * 1024 * 1024  # one file of another system's tasks

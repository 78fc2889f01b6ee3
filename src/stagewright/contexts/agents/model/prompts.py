"""What a prompt is made of, and what is kept about it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID


class PromptKind(StrEnum):
    """What the agent does in its stage."""

    WORK = "work"
    REVISE = "revise"
    REVIEW = "review"
    DISCUSSION = "discussion"


class PromptMode(StrEnum):
    """What surrounds the work tree."""

    FULL_ENV = "full-env"
    CODE_ONLY = "code-only"
    PRODUCTION_READONLY = "production-readonly"
    REPAIR = "repair"


class PartKey(NamedTuple):
    """One text of the catalogue. ``base``, ``completion`` and ``resume`` have one name, equal to the part's."""

    part: str
    name: str
    locale: str

    @property
    def path(self) -> str:
        """Return the file name below the catalogue or ``.stagewright/prompts/``."""
        folder = "" if self.part == self.name else f"{self.part}/"
        return f"{folder}{self.name}.{self.locale}.md"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The built-in texts, checked to be complete."""

    texts: Mapping[PartKey, str]

    def find(self, part: str, name: str, locale: str) -> tuple[PartKey, str] | None:
        """Return the text in ``locale``, else in English, else None."""
        for choice in dict.fromkeys((locale, "en")):
            key = PartKey(part, name, choice)
            if key in self.texts:
                return key, self.texts[key]
        return None


@dataclass(frozen=True, slots=True)
class SanitizerCounts:
    """How much was removed from texts of others, by kind of character, and how many bytes were cut for size."""

    html_comments: int = 0
    tag_characters: int = 0
    bidi_controls: int = 0
    zero_width: int = 0
    variation_selectors: int = 0
    control_characters: int = 0
    delimiters: int = 0
    omitted_entries: int = 0
    cut_bytes: int = 0

    def __add__(self, other: "SanitizerCounts") -> "SanitizerCounts":
        return SanitizerCounts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def hidden_removed(self) -> int:
        """Return how many things a person could not have seen were removed."""
        return (
            self.html_comments
            + self.tag_characters
            + self.bidi_controls
            + self.zero_width
            + self.variation_selectors
            + self.control_characters
        )

    def as_json(self) -> dict[str, int]:
        """Return the stored form."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Opening:
    """Title and first text of an Issue or a pull request, as its author wrote them."""

    number: int
    title: str
    body: str
    author: str
    association: str
    url: str


@dataclass(frozen=True, slots=True)
class Remark:
    """One comment, review or message of a person. ``source`` names it, e.g. ``issue_comment:51``."""

    source: str
    author: str
    association: str
    body: str


@dataclass(frozen=True, slots=True)
class ReviewThread:
    """An unresolved review thread: where it stands, and its remarks from the oldest to the newest."""

    path: str
    line: int | None
    remarks: tuple[Remark, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A file of the default branch for the agent to read: a project document or an instruction file.

    ``text`` None: there was no room for it, so it is only named.
    """

    path: str
    text: str | None
    description: str = ""
    repository: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person decided or answered earlier in this run. ``at`` is shown as it is."""

    question: str
    answer: str
    by: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptInput:
    """Everything a prompt depends on. Equal inputs (but for the nonce) give an equal ``stable_sha256``.

    ``stage`` is a stage of the policy or one of the special names ``rethink``, ``ai-repair``, ``reviewer``,
    ``discussion`` (``prompt_words`` maps a run's kind). ``base_sha`` is the commit the work tree stands on;
    ``target_sha`` the commit a pull request is compared with; ``candidate_sha`` what a late stage examines, the head of
    pull request ``candidate_pr``. Comments, threads and inbox go from the oldest to the
    newest. ``overrides`` maps a path in ``.stagewright/prompts/`` to its text.
    """

    repository: str
    run_id: UUID
    run_number: int
    stage: str
    role: str
    kind: PromptKind
    mode: PromptMode
    locale: str
    nonce: str
    report_schema: str
    role_title: str = ""
    issue: Opening | None = None
    pull_request: Opening | None = None
    comments: tuple[Remark, ...] = ()
    review_threads: tuple[ReviewThread, ...] = ()
    inbox: tuple[Remark, ...] = ()
    branch: str = ""
    base_sha: str = ""
    target_branch: str = ""
    target_sha: str = ""
    candidate_pr: int | None = None
    candidate_sha: str = ""
    env: str = "none"
    slot_url: str = ""
    access_profile: str = ""
    profile: str = ""
    scope: str = "any"
    scope_patterns: tuple[str, ...] = ()
    protected_paths: tuple[str, ...] = ()
    artifacts: tuple[str, ...] = ()
    prior_stages: tuple[str, ...] = ()
    minutes_left: int | None = None
    budget_left: str = ""
    tools: tuple[str, ...] = ()
    documents: tuple[Document, ...] = ()
    instruction_files: tuple[Document, ...] = ()
    answers: tuple[Answer, ...] = ()
    last_summary: str = ""
    feedback: tuple[str, ...] = ()
    overrides: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PartRecord:
    """One piece of a prompt: from ``built-in``, ``run`` or ``project:<path>``; the hash leaves the nonce out."""

    part: str
    name: str
    locale: str
    source: str
    sha256: str

    def as_json(self) -> dict[str, Any]:
        """Return the stored form."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Prompt:
    """A composed prompt. ``sha256`` is of the exact bytes (UTF-8), ``stable_sha256`` of them with the nonce masked."""

    text: str
    sha256: str
    stable_sha256: str
    parts: tuple[PartRecord, ...]
    sanitizer: SanitizerCounts

    @property
    def size(self) -> int:
        """Return the length in bytes."""
        return len(self.text.encode())

"""Composition of prompts (``runs.md`` section 15): parts in a fixed order, texts of others last but one, fenced."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from stagewright.contexts.agents.errors import PromptInvalid, PromptPartMissing
from stagewright.contexts.agents.model import Catalogue, PartRecord, Prompt, PromptInput, SanitizerCounts
from stagewright.contexts.agents.rules.isolation import Fence
from stagewright.contexts.agents.rules.overrides import FOLDER, Override, choose_override
from stagewright.contexts.agents.rules.variables import RESUME_REASONS, check_input, variables
from stagewright.contexts.agents.usecases.templates import render

NONCE_MARK = "{nonce}"


def compose(wanted: PromptInput, catalogue: Catalogue) -> Prompt:
    """Compose the whole prompt of an attempt: what the agent is, what it does here, and what others wrote."""
    sheet = _Sheet.of(wanted, catalogue)
    for part, name in (
        ("base", "base"),
        ("role", wanted.role),
        ("stage", wanted.stage),
        ("kind", wanted.kind.value),
        ("mode", wanted.mode.value),
        ("frame", "facts"),
    ):
        sheet.add_part(part, name)
    sheet.add_frame("documents", sheet.fence.documents([*wanted.instruction_files, *wanted.documents]))
    sheet.add_frame("progress", _progress(sheet.fence, wanted))
    sheet.add_frame("untrusted", _untrusted(sheet.fence, wanted))
    sheet.add_part("completion", "completion")
    return sheet.finish()


def resume_prompt(wanted: PromptInput, catalogue: Catalogue, *, reason: str) -> Prompt:
    """Compose the short prompt for a restored session: why it goes on, what is new, and the contract once more.

    Of ``wanted`` it takes answers, feedback, inbox and review threads; the rest is in the session already.
    """
    if reason not in RESUME_REASONS:
        raise PromptInvalid(f"no session is resumed for {reason!r}; known are {', '.join(RESUME_REASONS)}")
    sheet = _Sheet.of(wanted, catalogue, reason=reason)
    sheet.add_part("resume", "resume")
    sheet.add_frame("progress", _progress(sheet.fence, wanted, summary=False))
    news = [*sheet.fence.threads(wanted.review_threads), *sheet.fence.remarks(wanted.inbox)]
    sheet.add_frame("untrusted", news)
    sheet.add_part("completion", "completion")
    return sheet.finish()


def _progress(fence: Fence, wanted: PromptInput, *, summary: bool = True) -> list[str]:
    blocks = [fence.note("previous-report", wanted.last_summary)] if summary and wanted.last_summary else []
    blocks += fence.answers(wanted.answers)
    if wanted.feedback:
        blocks.append(fence.note("platform-feedback", "\n".join(f"- {line}" for line in wanted.feedback)))
    return blocks


def _untrusted(fence: Fence, wanted: PromptInput) -> list[str]:
    blocks: list[str] = []
    if wanted.issue:
        blocks += fence.opening(wanted.issue, "issue")
    if wanted.pull_request:
        blocks += fence.opening(wanted.pull_request, "pull_request")
    blocks += fence.remarks(wanted.comments)
    blocks += fence.threads(wanted.review_threads)
    return blocks + fence.remarks(wanted.inbox)


@dataclass(slots=True)
class _Sheet:
    """A prompt while it is written."""

    wanted: PromptInput
    catalogue: Catalogue
    fence: Fence
    values: dict[str, str]
    texts: list[str] = field(default_factory=list)
    records: list[PartRecord] = field(default_factory=list)
    counts: SanitizerCounts = field(default_factory=SanitizerCounts)

    @classmethod
    def of(cls, wanted: PromptInput, catalogue: Catalogue, *, reason: str = "") -> "_Sheet":
        check_input(wanted)
        fence = Fence(wanted.nonce)
        return cls(wanted, catalogue, fence, variables(wanted, fence, reason=reason))

    def add_part(self, part: str, name: str) -> None:
        """Add the built-in text of a part and the project's, or the project's alone where it replaces or adds one."""
        found = self.catalogue.find(part, name, self.wanted.locale)
        ours = None if part == "frame" else choose_override(self.wanted.overrides, part, name, self.wanted.locale)
        if found is None and ours is None:
            path = f"{FOLDER}{part}/{name}.{self.wanted.locale}.md"
            raise PromptPartMissing(f"the {part} {name!r} has no prompt text: add {path}", part=part, name=name)
        if found and not (ours and ours.mode == "replace"):
            key, source = found
            self._keep(render(source, self.values, path=key.path), part, name, key.locale, "built-in", source)
        if ours:
            self._add_override(ours)

    def _add_override(self, ours: Override) -> None:
        self.counts += ours.clean.counts
        source = "\n" * ours.front_lines + ours.clean.text  # so that a mistake's line is the file's
        text = render(source, self.values, path=ours.path)
        self._keep(text, ours.key.part, ours.key.name, ours.key.locale, f"project:{ours.path}", ours.clean.text)

    def add_frame(self, name: str, blocks: Sequence[str]) -> None:
        """Add a section with fenced texts under its introduction; without texts there is no section."""
        if not blocks:
            return
        found = self.catalogue.find("frame", name, self.wanted.locale)
        if found is None:
            raise PromptPartMissing(f"the frame {name!r} has no text", part="frame", name=name)
        key, source = found
        text = "\n\n".join([render(source, self.values, path=key.path), *blocks])
        self._keep(text, "frame", name, key.locale, "run", self._masked(text))

    def _keep(self, text: str, part: str, name: str, locale: str, source: str, hashed: str) -> None:
        self.texts.append(text)
        self.records.append(PartRecord(part, name, locale, source, _sha256(hashed)))

    def _masked(self, text: str) -> str:
        return text.replace(self.wanted.nonce, NONCE_MARK)

    def finish(self) -> Prompt:
        text = "\n\n".join(text for text in self.texts if text) + "\n"
        counts = self.counts + self.fence.counts
        return Prompt(text, _sha256(text), _sha256(self._masked(text)), tuple(self.records), counts)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

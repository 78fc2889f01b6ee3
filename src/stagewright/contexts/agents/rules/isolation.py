"""Texts of others inside a prompt: cleaned, cut to size, and fenced by a delimiter their authors cannot know."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from stagewright.contexts.agents.model import Answer, Document, Opening, Remark, ReviewThread, SanitizerCounts
from stagewright.contexts.agents.rules.hygiene import Clean, cut_utf8, plus, sanitise

KIB = 1024
ISSUE_LIMIT = 32 * KIB
COMMENTS_LIMIT = 32 * KIB
THREADS_LIMIT = 64 * KIB
DOCUMENTS_LIMIT = 256 * KIB
ANSWERS_LIMIT = 32 * KIB
REMOVED = "[removed]"

TAGS = ("untrusted", "project-document", "earlier-answer", "previous-report", "platform-feedback")
_TAG = re.compile(rf"<\s*/?\s*(?:{'|'.join(TAGS)})\b[^<>\n]{{0,400}}>?", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"[^\w .,:/@#+()\[\]-]")


@dataclass(frozen=True, slots=True)
class _Entry:
    source: str
    author: str
    association: str
    text: str
    place: str = ""


class Fence:
    """Wraps texts of others for one prompt and adds up what had to be removed from them."""

    def __init__(self, nonce: str) -> None:
        self._nonce = nonce
        self.counts = SanitizerCounts()

    def clean(self, text: str) -> str:
        """Return ``text`` without hidden characters, without the nonce and without our tags."""
        clean = isolate(text, self._nonce)
        self.counts += clean.counts
        return clean.text

    def fact(self, value: str) -> str:
        """Return a name or address as one plain line, fit to stand between backticks."""
        return " ".join(self.clean(value).replace("`", "'").split())[:500]

    def opening(self, opening: Opening, source: str) -> list[str]:
        """Fence title and body of an Issue or a pull request, together at most 32 KiB."""
        title = self._cut(self.clean(opening.title), ISSUE_LIMIT)
        body = self._cut(self.clean(opening.body), ISSUE_LIMIT - len(title[0].encode()))
        names = {"author": opening.author, "association": opening.association}
        return [
            self._block("untrusted", title, source=f"{source}:{opening.number}:title", **names),
            self._block("untrusted", body, source=f"{source}:{opening.number}:body", **names),
        ]

    def remarks(self, remarks: Sequence[Remark], limit: int = COMMENTS_LIMIT) -> list[str]:
        """Fence the newest remarks that fit into ``limit`` bytes, the oldest first."""
        return self._newest([_Entry(r.source, r.author, r.association, r.body) for r in remarks], limit)

    def threads(self, threads: Sequence[ReviewThread]) -> list[str]:
        """Fence the remarks of unresolved review threads, at most 64 KiB, with the place each stands at."""
        entries = [
            _Entry(r.source, r.author, r.association, r.body, f"{t.path}:{t.line}" if t.line else t.path)
            for t in threads
            for r in t.remarks
        ]
        return self._newest(entries, THREADS_LIMIT)

    def documents(self, documents: Sequence[Document]) -> list[str]:
        """Fence whole documents in the order given, at most 256 KiB; those that no longer fit are only named."""
        blocks, left = [], DOCUMENTS_LIMIT
        for item in documents:
            text = self.clean(item.text) if item.text is not None else None
            size = len(text.encode()) if text is not None else 0
            path = f"{item.repository}:{item.path}" if item.repository else item.path
            if text is None or size > left:
                self.counts += SanitizerCounts(omitted_entries=1, cut_bytes=size)
                blocks.append(
                    f'<project-document id="{self._nonce}" path="{self._attribute(path)}" left-out="no room"/>'
                )
                continue
            left -= size
            blocks.append(self._block("project-document", (text, 0), path=path, about=item.description))
        return blocks

    def answers(self, answers: Sequence[Answer]) -> list[str]:
        """Fence what people decided earlier in this run."""
        blocks = []
        for item in answers:
            text = self._cut(f"{self.clean(item.question)}\n→ {self.clean(item.answer)}", ANSWERS_LIMIT)
            blocks.append(self._block("earlier-answer", text, by=item.by, at=item.at))
        return blocks

    def note(self, tag: str, text: str) -> str:
        """Fence one text of the platform or of an earlier attempt."""
        return self._block(tag, self._cut(self.clean(text), ANSWERS_LIMIT))

    def _newest(self, entries: Sequence[_Entry], limit: int) -> list[str]:
        blocks: list[str] = []
        left = limit
        for index in range(len(entries) - 1, -1, -1):
            if left <= 0:
                older = entries[: index + 1]
                size = sum(len(e.text.encode(errors="replace")) for e in older)
                self.counts += SanitizerCounts(omitted_entries=len(older), cut_bytes=size)
                blocks.append(f'<untrusted id="{self._nonce}" omitted-older-entries="{len(older)}" bytes="{size}"/>')
                break
            entry = entries[index]
            text = self._cut(self.clean(entry.text), left)
            names = {"source": entry.source, "author": entry.author, "association": entry.association}
            if entry.place:
                names["place"] = entry.place
            blocks.append(self._block("untrusted", text, **names))
            left -= len(blocks[-1].encode())
        return blocks[::-1]

    def _cut(self, text: str, limit: int) -> tuple[str, int]:
        kept, cut = cut_utf8(text, limit)
        self.counts += SanitizerCounts(cut_bytes=cut)
        return kept, cut

    def _block(self, tag: str, text: tuple[str, int], **attributes: str) -> str:
        body, cut = text
        words = [f'{name}="{self._attribute(value)}"' for name, value in attributes.items() if value]
        if cut:
            words.append(f'cut-bytes="{cut}"')
        head = " ".join([tag, f'id="{self._nonce}"', *words])
        return f'<{head}>\n{body}\n</{tag} id="{self._nonce}">'

    def _attribute(self, value: str) -> str:
        return _ATTRIBUTE.sub("_", self.fact(value))[:200]


def isolate(text: str, nonce: str) -> Clean:
    """Sanitise ``text`` and take out the delimiter's nonce and tags; what is taken out leaves a visible mark."""
    clean = sanitise(text)
    without, nonces = re.subn(re.escape(nonce), REMOVED, clean.text, flags=re.IGNORECASE)
    without, tags = _TAG.subn(REMOVED, without)
    return plus(Clean(without, clean.counts), delimiters=nonces + tags)

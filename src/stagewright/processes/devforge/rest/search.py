"""Searching issues: the qualifiers Stagewright uses, and words or quoted phrases in titles, bodies and comments."""

import shlex
from dataclasses import dataclass, field
from typing import Any

from stagewright.processes.devforge.access import can_see
from stagewright.processes.devforge.limits import SEARCH
from stagewright.processes.devforge.model import Issue, Repo
from stagewright.processes.devforge.problems import invalid
from stagewright.processes.devforge.rest.call import Answer, Call, Route
from stagewright.processes.devforge.shapes import threads as shapes

KNOWN = ("repo", "is", "type", "state", "in", "author", "label")
PLACES = ("title", "body", "comments")


@dataclass
class Query:
    """A search taken apart: qualifiers by name, and what has to stand in the text."""

    qualifiers: dict[str, list[str]] = field(default_factory=dict)
    phrases: list[str] = field(default_factory=list)


def parse_query(text: str) -> Query:
    """Take a query apart; quotes keep a phrase together."""
    query = Query()
    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace_split, lexer.commenters, lexer.quotes = True, "", '"'
    try:
        words = list(lexer)
    except ValueError as error:
        raise invalid("Search", "q") from error
    for word in words:
        name, colon, value = word.partition(":")
        if colon and name in KNOWN and value:
            query.qualifiers.setdefault(name, []).append(value.lower())
        else:
            query.phrases.append(word.lower())
    return query


async def search_issues(call: Call) -> Answer:
    """Search threads of all repositories the caller may see; newest first."""
    text = call.query.get("q", "")
    if not text.strip():
        raise invalid("Search", "q", "missing")
    query = parse_query(text)
    found = [
        (repo, thread)
        for repo in call.forge.repos.values()
        if can_see(call.caller, repo) and repo.full_name.lower() in _wanted(query, "repo", repo.full_name.lower())
        for thread in repo.issues.values()
        if matches(query, thread)
    ]
    found.sort(key=lambda row: (row[1].created_at, row[1].number), reverse=True)

    def show(row: tuple[Repo, Issue]) -> dict[str, Any]:
        return shapes.issue(call.forge, *row) | {"score": 1.0, "body": row[1].body or ""}

    answer = call.page(found, show)
    answer.body = {
        "total_count": len(found),
        "incomplete_results": False,
        "search_type": "lexical",
        "items": answer.body,
    }
    return answer


def matches(query: Query, thread: Issue) -> bool:
    """Say whether a thread fits the whole query."""
    states = {thread.state, "pr" if thread.pull else "issue"}
    if thread.pull is not None:
        states |= {"pull-request", "merged" if thread.pull.merged_at else "unmerged"}
    wanted = [value for name in ("is", "type", "state") for value in query.qualifiers.get(name, [])]
    labels = {label.name.lower() for label in thread.labels}
    if not states.issuperset(wanted) or not labels.issuperset(query.qualifiers.get("label", [])):
        return False
    if thread.user.login.lower() not in _wanted(query, "author", thread.user.login.lower()):
        return False
    text = _text(thread, query.qualifiers.get("in", list(PLACES)))
    return all(phrase in text for phrase in query.phrases)


def _text(thread: Issue, places: list[str]) -> str:
    chosen = {place for value in places for place in value.split(",")}
    parts = [thread.title] if "title" in chosen else []
    parts += [thread.body or ""] if "body" in chosen else []
    parts += [comment.body for comment in thread.comments] if "comments" in chosen else []
    return "\n".join(parts).lower()


def _wanted(query: Query, name: str, default: str) -> list[str]:
    return query.qualifiers.get(name, [default])


ROUTES = (Route("GET", "/search/issues", search_issues, None, resource=SEARCH),)

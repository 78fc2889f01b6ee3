"""What a person wrote into a form, and why it will not do: said in words, with the field's own name."""

import re
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from stagewright.processes.devforge.acts.reviews import STATES, Remark
from stagewright.processes.devforge.problems import ApiProblem

LINE = re.compile(r"[1-9][0-9]{0,8}")
SIDES = ("RIGHT", "LEFT")
SAID = {
    "Body can't be blank": "Text: write what you think, or a remark; only an approval may go without a word.",
    "pull_request_review_thread.path must be a file of the diff": "File: this pull request does not change it.",
    "pull_request_review_thread.line must be part of the diff": (
        "Line: the diff does not show it on this side; take a number from the changes below."
    ),
}


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a posted form; line ends are as on Unix."""
    text = (await request.body()).decode(errors="replace")
    return {name: value.replace("\r\n", "\n") for name, value in parse_qsl(text, keep_blank_values=True)}


def verdict_of(form: dict[str, str]) -> str:
    """Return the verdict of a review's form."""
    verdict = form.get("event", "")
    if verdict not in STATES:
        raise ApiProblem(422, f"Verdict: choose one of {', '.join(STATES)}.")
    return verdict


def remarks_in(form: dict[str, str]) -> list[Remark]:
    """Return the remark of a review's form, or none where its fields are empty."""
    path, line, body = (form.get(name, "").strip() for name in ("path", "line", "remark"))
    if not path and not line and not body:
        return []
    if not path:
        raise ApiProblem(422, "File: choose the file that the remark is about, or empty the remark and its line.")
    if not body:
        raise ApiProblem(422, "Remark: write what you think of this place, or choose no file.")
    if line and not LINE.fullmatch(line):
        raise ApiProblem(422, "Line: give the number of a line, or leave it empty for the whole file.")
    side = form.get("side", SIDES[0])
    if side not in SIDES:
        raise ApiProblem(422, f"Side: choose one of {', '.join(SIDES)}.")
    return [Remark(path=path, body=body, line=int(line) if line else None, side=side)]


def told(problem: ApiProblem) -> str:
    """Return a refusal for reading: the particulars where there are any, else its message."""
    found = [text for error in problem.more.get("errors", []) if (text := _particular(error))]
    return " ".join(SAID.get(text, text) for text in found) or problem.message


def _particular(error: Any) -> str:
    if isinstance(error, dict):
        return str(error.get("message") or f"{error.get('resource')} {error.get('field')}: {error.get('code')}.")
    return str(error)

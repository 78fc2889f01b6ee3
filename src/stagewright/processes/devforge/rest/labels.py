"""A repository's labels, and the labels of one thread."""

import re

from stagewright.processes.devforge.access import may
from stagewright.processes.devforge.acts import threads
from stagewright.processes.devforge.model import Issue, Label
from stagewright.processes.devforge.problems import ApiProblem, invalid, not_found
from stagewright.processes.devforge.rest.call import EDIT, READ_THREADS, TRIAGE, Answer, Call, Route, as_texts
from stagewright.processes.devforge.shapes import repos
from stagewright.processes.devforge.state import issue_of

COLOR = re.compile(r"[0-9a-fA-F]{6}")
LONGEST_NAME = 50
LONGEST_DESCRIPTION = 100


async def list_labels(call: Call) -> Answer:
    """List a repository's labels by name."""
    found = sorted(call.repo.labels, key=lambda label: label.name.lower())
    return call.page(found, lambda label: repos.label(call.forge, call.repo, label))


async def create_label(call: Call) -> Answer:
    """Make a label; without a colour it gets a grey one."""
    name = _checked_name(call, call.required("name", "Label"))
    if threads.find_label(call.repo, name):
        raise invalid("Label", "name", "already_exists")
    color, description = _look(call, threads.NEW_LABEL_COLOR, None)
    label = threads.make_label(call.forge, call.repo, call.actor, name, color, description)
    return Answer(repos.label(call.forge, call.repo, label), status=201)


async def get_label(call: Call) -> Answer:
    """Return a label by name."""
    return Answer(repos.label(call.forge, call.repo, _label(call)))


async def update_label(call: Call) -> Answer:
    """Rename a label or change how it looks."""
    label = _label(call)
    name = _checked_name(call, call.text("new_name", "Label") or label.name)
    if threads.find_label(call.repo, name) not in (None, label):
        raise invalid("Label", "name", "already_exists")
    color, description = _look(call, label.color, label.description)
    threads.edit_label(call.forge, call.repo, call.actor, label, name=name, color=color, description=description)
    return Answer(repos.label(call.forge, call.repo, label))


async def delete_label(call: Call) -> Answer:
    """Delete a label everywhere."""
    threads.delete_label(call.forge, call.repo, call.actor, _label(call))
    return Answer(status=204)


async def list_thread_labels(call: Call) -> Answer:
    """List the labels of a thread."""
    thread = _thread(call)
    return call.page(thread.labels, lambda label: repos.label(call.forge, call.repo, label))


async def add_thread_labels(call: Call) -> Answer:
    """Put labels on a thread; ones the repository lacks are made, which takes push access."""
    thread, names = _thread(call), _names(call)
    _may_make(call, names)
    await threads.add_labels(call.forge, call.repo, thread, call.actor, names)
    return await list_thread_labels(call)


async def set_thread_labels(call: Call) -> Answer:
    """Replace the labels of a thread."""
    thread, names = _thread(call), _names(call)
    _may_make(call, names)
    await threads.set_labels(call.forge, call.repo, thread, call.actor, names)
    return await list_thread_labels(call)


async def remove_thread_label(call: Call) -> Answer:
    """Take a label off a thread; one that is not there is a 404."""
    thread, name = _thread(call), call.path["name"].lower()
    label = next((label for label in thread.labels if label.name.lower() == name), None)
    if label is None:
        raise ApiProblem(404, "Label does not exist")
    await threads.remove_label(call.forge, call.repo, thread, call.actor, label)
    return await list_thread_labels(call)


async def clear_thread_labels(call: Call) -> Answer:
    """Take all labels off a thread."""
    await threads.set_labels(call.forge, call.repo, _thread(call), call.actor, [])
    return Answer(status=204)


def _names(call: Call) -> list[str]:
    """Read ``{"labels": […]}`` or a bare list; both are in GitHub's description."""
    value = call.json if isinstance(call.json, list) else call.body.get("labels")
    if value is None:
        raise invalid("Label", "labels", "missing_field")
    return [_checked_name(call, name) for name in as_texts("labels", value)]


def _may_make(call: Call, names: list[str]) -> None:
    unknown = [name for name in names if threads.find_label(call.repo, name) is None]
    if unknown and not may(call.caller, call.repo, EDIT):
        raise not_found()


def _checked_name(call: Call, name: str) -> str:
    name = name.strip()
    if not name or len(name) > LONGEST_NAME:
        raise invalid("Label", "name", "invalid", f"name is too long (maximum is {LONGEST_NAME} characters)")
    return name


def _look(call: Call, color: str, description: str | None) -> tuple[str, str | None]:
    """Read colour and description, keeping what was not sent."""
    wished = call.text("color", "Label") or color
    if not COLOR.fullmatch(wished):
        raise invalid("Label", "color")
    text = call.text("description", "Label") if "description" in call.body else description
    if text is not None and len(text) > LONGEST_DESCRIPTION:
        told = f"description is too long (maximum is {LONGEST_DESCRIPTION} characters)"
        raise invalid("Label", "description", "invalid", told)
    return wished.lower(), text


def _label(call: Call) -> Label:
    label = threads.find_label(call.repo, call.path["name"])
    if label is None:
        raise not_found()
    return label


def _thread(call: Call) -> Issue:
    return issue_of(call.repo, call.number("issue_number"))


REPO, THREAD = "/repos/{owner}/{repo}/labels", "/repos/{owner}/{repo}/issues/{issue_number}/labels"
ROUTES = (
    Route("GET", REPO, list_labels, READ_THREADS),
    Route("POST", REPO, create_label, EDIT, success=201),
    Route("GET", f"{REPO}/{{name}}", get_label, READ_THREADS),
    Route("PATCH", f"{REPO}/{{name}}", update_label, EDIT),
    Route("DELETE", f"{REPO}/{{name}}", delete_label, EDIT, success=204),
    Route("GET", THREAD, list_thread_labels, READ_THREADS),
    Route("POST", THREAD, add_thread_labels, TRIAGE),
    Route("PUT", THREAD, set_thread_labels, TRIAGE),
    Route("DELETE", THREAD, clear_thread_labels, TRIAGE, success=204),
    Route("DELETE", f"{THREAD}/{{name}}", remove_thread_label, TRIAGE),
)

"""What a GitHub payload says, in our words. Only the fields we use are read; every one of them may be missing."""

import re
from datetime import UTC, datetime

import msgspec

from stagewright.contexts.intake.errors import DeliveryInvalid
from stagewright.contexts.intake.model import LabelTold, ParsedDelivery
from stagewright.kit.errors import FieldProblem


class _User(msgspec.Struct):
    login: str | None = None
    id: int | None = None
    type: str | None = None


class _Label(msgspec.Struct):
    name: str | None = None


class _Definition(msgspec.Struct):
    name: str | None = None
    color: str | None = None
    description: str | None = None


class _Before(msgspec.Struct):
    before: str | None = msgspec.field(default=None, name="from")


class _Changes(msgspec.Struct):
    name: _Before | None = None


class _LabelPayload(msgspec.Struct):
    label: _Definition | None = None
    changes: _Changes | None = None


class _Repository(msgspec.Struct):
    id: int | None = None
    full_name: str | None = None
    default_branch: str | None = None


class _Head(msgspec.Struct):
    sha: str | None = None


class _Mark(msgspec.Struct):
    """What makes an issue a pull request; it says when that was merged."""

    merged_at: str | int | msgspec.UnsetType | None = msgspec.UNSET


class _Thread(msgspec.Struct):
    number: int | None = None
    state: str | None = None
    labels: list[_Label | None] | None = None
    updated_at: str | int | None = None
    pull_request: _Mark | None = None
    merged_at: str | int | msgspec.UnsetType | None = msgspec.UNSET
    head: _Head | None = None


class _Comment(msgspec.Struct):
    id: int | None = None
    body: str | None = None
    created_at: str | int | None = None


class _Review(msgspec.Struct):
    state: str | None = None
    submitted_at: str | int | None = None


class _Payload(msgspec.Struct):
    action: str | None = None
    repository: _Repository | None = None
    sender: _User | None = None
    issue: _Thread | None = None
    pull_request: _Thread | None = None
    label: _Label | None = None
    review: _Review | None = None
    ref: str | None = None
    after: str | None = None
    deleted: bool | None = None
    repositories: list[_Repository | None] | None = None
    repositories_added: list[_Repository | None] | None = None
    repositories_removed: list[_Repository | None] | None = None
    comment: _Comment | None = None


DELIVERY_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
EVENT = re.compile(r"[a-z][a-z0-9_]{1,63}")
_DECODER = msgspec.json.Decoder(_Payload, strict=False)
_LABEL_DECODER = msgspec.json.Decoder(_LabelPayload, strict=False)


def parse(event: str, payload: bytes) -> ParsedDelivery:
    """Parse the payload of ``event``. Raises ``DeliveryInvalid`` when it is no JSON object of the known shape."""
    try:
        body = _DECODER.decode(payload)
    except msgspec.DecodeError as error:
        problem = FieldProblem("/", "json", str(error)[:300])
        raise DeliveryInvalid(f"the payload of {event} cannot be read: {error}", problems=(problem,)) from error
    is_pull_request = event.startswith("pull_request") or _is_pull_request(body.issue)
    thread = body.pull_request if event.startswith("pull_request") else body.issue
    sender = body.sender or _User()
    repository = body.repository or _Repository()
    return ParsedDelivery(
        event=event,
        action=_plain(body.action),
        forge_repository_id=repository.id,
        repository_name=_plain(repository.full_name),
        default_branch=_plain(repository.default_branch),
        thread=thread.number if thread else None,
        is_pull_request=is_pull_request,
        thread_open=thread.state == "open" if thread and thread.state else None,
        thread_labels=_labels(thread),
        label=_plain(body.label.name) if body.label else None,
        sender_type=_plain(sender.type),
        sender_login=_plain(sender.login),
        sender_id=sender.id,
        occurred_at=_occurred_at(body, thread),
        merged=_merged(thread) if is_pull_request else None,
        head_sha=_plain(thread.head.sha) if thread and thread.head else None,
        comment_id=body.comment.id if body.comment else None,
        comment_body=_plain(body.comment.body) if body.comment else None,
        review_state=_plain(body.review.state.lower()) if body.review and body.review.state else None,
        merged_at=_merged_at(thread) if is_pull_request else None,
        ref=_plain(body.ref),
        after=_plain(body.after),
        deleted=bool(body.deleted),
        installed=_numbers(body.repositories, body.repositories_added),
        uninstalled=_numbers(body.repositories_removed),
        told=_told(payload) if event == "label" else None,
    )


def check_headers(delivery_id: str | None, event: str | None) -> tuple[str, str]:
    """Return the delivery's id and event. Raises ``DeliveryInvalid`` when a header is absent or not GitHub's form."""
    problems = []
    if delivery_id is None or not DELIVERY_ID.fullmatch(delivery_id):
        problems.append(FieldProblem("/header/X-GitHub-Delivery", "header", "send the delivery's id (8 to 64 letters)"))
    if event is None or not EVENT.fullmatch(event):
        problems.append(FieldProblem("/header/X-GitHub-Event", "header", "send the event's name, such as issues"))
    if problems or delivery_id is None or event is None:
        raise DeliveryInvalid("this is no delivery of GitHub: headers are missing", problems=tuple(problems))
    return delivery_id, event


def _is_pull_request(issue: _Thread | None) -> bool:
    return issue is not None and issue.pull_request is not None


def _occurred_at(body: _Payload, thread: _Thread | None) -> datetime | None:
    """Return when it happened: a review and a comment say so themselves, anything else by its thread."""
    if body.action == "submitted" and body.review is not None and (at := _moment(body.review.submitted_at)):
        return at
    if body.action == "created" and body.comment is not None and (at := _moment(body.comment.created_at)):
        return at
    return _moment(thread.updated_at) if thread else None


def _merged(thread: _Thread | None) -> bool | None:
    """Say whether the pull request is merged; None where the payload is silent about it."""
    if thread is None:
        return None
    if thread.state == "open":
        return False
    at = _merge_of(thread)
    return None if at is msgspec.UNSET else at is not None


def _merged_at(thread: _Thread | None) -> datetime | None:
    at = _merge_of(thread) if thread is not None else None
    return None if at is msgspec.UNSET else _moment(at)


def _merge_of(thread: _Thread) -> str | int | msgspec.UnsetType | None:
    return thread.pull_request.merged_at if thread.pull_request is not None else thread.merged_at


def _numbers(*lists: list[_Repository | None] | None) -> tuple[int, ...]:
    """Return the numbers of the repositories in ``lists``."""
    return tuple(one.id for found in lists for one in found or () if one is not None and one.id is not None)


def _labels(thread: _Thread | None) -> tuple[str, ...] | None:
    if thread is None or thread.labels is None:
        return None
    return tuple(_plain(label.name) or "" for label in thread.labels if label is not None and label.name)


def _told(payload: bytes) -> LabelTold | None:
    """Return what a ``label`` event says of the label itself; None where it does not have the known shape."""
    try:
        body = _LABEL_DECODER.decode(payload)
    except msgspec.DecodeError:
        return None
    label = body.label
    if label is None or not label.name:
        return None
    was = body.changes.name.before if body.changes is not None and body.changes.name is not None else None
    return LabelTold(_plain(label.name) or "", _plain(was), label.color or "", _plain(label.description) or "")


def _plain(text: str | None) -> str | None:
    """Return ``text`` without NUL, which no row can hold."""
    return text.replace("\0", "\ufffd") if text else text


def _moment(value: str | int | None) -> datetime | None:
    if isinstance(value, int):
        return datetime.fromtimestamp(value, UTC)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

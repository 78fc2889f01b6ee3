"""Pieces of requests: metadata, uploads in parts, headers."""

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import grpc.aio

from stagewright.contexts.agents import api as agents
from stagewright.contexts.runs.errors import MessageInvalid
from stagewright.contexts.runs.model import Attempt, Run
from stagewright.contexts.runs.rules.bodies import clean, parse_object
from stagewright.contexts.runs.usecases.assignment import MAX_ARCHIVE, MAX_BUNDLE
from stagewright.contexts.runs.usecases.checking import redacted
from stagewright.wire.v1 import result_pb2, session_pb2

Context = grpc.aio.ServicerContext[Any, Any]
PIECE = 1024 * 1024
MAX_MANIFEST = 1024 * 1024


def bearer(context: Context) -> str | None:
    """Return the bearer token of the call's metadata."""
    for key, value in context.invocation_metadata() or ():
        if key == "authorization":
            scheme, _, token = str(value).partition(" ")
            return token.strip() if scheme.lower() == "bearer" else None
    return None


def source_refs(run: Run) -> dict[str, str]:
    """Return the refs of the run's source bundle beside its base."""
    refs = {f"refs/stagewright/prior/{stage}": sha for stage, sha in run.world.prior.items()}
    if run.world.link_head_sha:
        refs["refs/stagewright/link"] = run.world.link_head_sha
    if run.world.target_sha:
        refs["refs/stagewright/target"] = run.world.target_sha
    return refs


def pieces(data: bytes) -> Iterator[bytes]:
    """Cut ``data`` into parts of a message's size."""
    for at in range(0, len(data), PIECE):
        yield data[at : at + PIECE]


def session_header(stored: agents.StoredSession, wip_bundle: bytes | None) -> session_pb2.SessionHeader:
    """Return the header of a stored session that is sent with this work in progress."""
    saved, wip = stored.saved, wip_bundle or b""
    return session_pb2.SessionHeader(
        engine=saved.engine,
        engine_version=saved.engine_version,
        thread_id=saved.thread_id,
        manifest=json.dumps(dict(stored.manifest)),
        reason=saved.reason,
        archive_bytes=len(stored.archive),
        archive_sha256=hashlib.sha256(stored.archive).hexdigest(),
        wip_bytes=len(wip),
        wip_sha256=hashlib.sha256(wip).hexdigest() if wip else "",
    )


@dataclass(frozen=True, slots=True)
class SessionUpload:
    """A session as it was sent."""

    header: session_pb2.SaveSessionHeader
    archive: bytes
    wip_bundle: bytes


async def session_head(messages: AsyncIterator[session_pb2.SaveSessionPart]) -> session_pb2.SaveSessionHeader:
    """Return the header a session begins with."""
    first = await anext(aiter(messages), None)
    if first is None or first.WhichOneof("part") != "header":
        raise MessageInvalid("the first part of a session is its header")
    return first.header


async def read_session(
    header: session_pb2.SaveSessionHeader, messages: AsyncIterator[session_pb2.SaveSessionPart]
) -> SessionUpload:
    """Read archive and work in progress; refuse what is larger than allowed."""
    archive, wip = bytearray(), bytearray()
    async for message in messages:
        match message.WhichOneof("part"):
            case "archive":
                archive += message.archive
            case "wip_bundle":
                wip += message.wip_bundle
            case _:
                raise MessageInvalid("after its header a session has parts of the archive and of the bundle only")
        if len(archive) > MAX_ARCHIVE or len(wip) > MAX_BUNDLE:
            raise MessageInvalid(
                "the session is larger than 32 MiB, or its work in progress than 64 MiB", code="too_large"
            )
    return SessionUpload(header, bytes(archive), bytes(wip))


def session_draft(
    upload: SessionUpload, run: Run, attempt: Attempt, *, redact: Callable[[str], str]
) -> agents.SessionDraft:
    """Return the session to keep. Digests are checked where it is stored; the manifest is stored in the clear."""
    head = upload.header.session
    if len(head.manifest) > MAX_MANIFEST:
        raise MessageInvalid("the session's manifest is larger than 1 MiB", code="too_large")
    try:
        engine, reason = agents.EngineName(head.engine), agents.SessionReason(head.reason)
        manifest = redacted(parse_object(head.manifest, "the session's manifest"), redact)
        archive_sha, wip_sha = bytes.fromhex(head.archive_sha256), bytes.fromhex(head.wip_sha256)
    except ValueError as error:
        raise MessageInvalid(f"the session's header is wrong: {error}") from error
    return agents.SessionDraft(
        project_id=run.project_id,
        run_id=run.id,
        attempt_id=attempt.id,
        repository_id=run.repository_id,
        issue_number=run.issue_number,
        stage=run.stage,
        role=run.role,
        engine=engine,
        engine_version=redact(clean(head.engine_version, 100)),
        thread_id=clean(head.thread_id, 200),
        archive=upload.archive,
        archive_sha256=archive_sha,
        wip_bundle=upload.wip_bundle or None,
        wip_sha256=wip_sha or None,
        manifest=manifest,
        reason=reason,
    )


async def proposal_head(messages: AsyncIterator[result_pb2.ProposeResultPart]) -> result_pb2.ProposeResultHeader:
    """Return the header a proposal begins with."""
    first = await anext(aiter(messages), None)
    if first is None or first.WhichOneof("part") != "header":
        raise MessageInvalid("the first part of a proposal is its header")
    return first.header


async def read_bundle(
    header: result_pb2.ProposeResultHeader, messages: AsyncIterator[result_pb2.ProposeResultPart]
) -> bytes:
    """Read the bundle; it must be the announced one."""
    bundle = bytearray()
    async for message in messages:
        if message.WhichOneof("part") != "bundle":
            raise MessageInvalid("after its header a proposal has parts of the bundle only")
        bundle += message.bundle
        if len(bundle) > MAX_BUNDLE:
            raise MessageInvalid("a result bundle holds at most 64 MiB", code="too_large")
    if len(bundle) != header.bundle_bytes:
        raise MessageInvalid(f"{header.bundle_bytes} bytes were announced, {len(bundle)} came; send it again")
    if bundle and hashlib.sha256(bundle).hexdigest() != header.bundle_sha256:
        raise MessageInvalid("bundle_sha256 is not the SHA-256 of the bundle; send it again")
    return bytes(bundle)

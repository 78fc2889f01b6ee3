"""Handing webhooks over: signed over the raw bytes, in order per hook, in the background, never retried by itself."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx

from stagewright.processes.devforge.model import Delivery, Hook

TIMEOUT = 10.0  # seconds a receiver has to answer, as on GitHub
KEPT_BODY = 65_536
KEPT_DELIVERIES = 2_000


class Courier:
    """Owns one queue and one task per hook, so that a slow receiver holds up only itself."""

    def __init__(self, now: Callable[[], datetime], next_id: Callable[[], int]) -> None:
        self._now = now
        self._next_id = next_id
        self._queues: dict[int, asyncio.Queue[Delivery]] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._client: httpx.AsyncClient | None = None
        self.drop_next = 0
        self.duplicate_next = 0

    def send(
        self,
        hook: Hook,
        event: str,
        payload: dict[str, Any],
        *,
        repository_id: int | None = None,
        installation_id: int | None = None,
    ) -> Delivery:
        """Queue a webhook and return its delivery; the answer comes into it later."""
        delivery = Delivery(
            id=self._next_id(),
            guid=str(uuid4()),
            event=event,
            action=payload.get("action"),
            body=_encode(hook, payload),
            headers={},
            created_at=self._now(),
            repository_id=repository_id,
            installation_id=installation_id,
        )
        delivery.headers = _headers(hook, delivery)
        self._keep(hook, delivery)
        if self.drop_next > 0:
            self.drop_next -= 1
            delivery.status = "dropped"
            return delivery
        self._queue(hook).put_nowait(delivery)
        if self.duplicate_next > 0:
            self.duplicate_next -= 1
            self.redeliver(hook, delivery)
        return delivery

    def redeliver(self, hook: Hook, original: Delivery) -> Delivery:
        """Queue the same bytes under the same GUID once more."""
        again = Delivery(
            id=self._next_id(),
            guid=original.guid,
            event=original.event,
            action=original.action,
            body=original.body,
            headers={},
            created_at=self._now(),
            repository_id=original.repository_id,
            installation_id=original.installation_id,
            redelivery=True,
        )
        again.headers = _headers(hook, again)
        self._keep(hook, again)
        self._queue(hook).put_nowait(again)
        return again

    async def idle(self, timeout: float) -> bool:
        """Wait until everything queued was handed over; False when ``timeout`` seconds passed first."""
        waiting = [queue.join() for queue in self._queues.values()]
        try:
            async with asyncio.timeout(timeout):
                await asyncio.gather(*waiting)
        except TimeoutError:
            return False
        return True

    def forget(self, hook: Hook) -> None:
        """Stop handing over to a deleted hook."""
        task, queue = self._tasks.pop(hook.id, None), self._queues.pop(hook.id, None)
        if task is None or queue is None:
            return
        task.cancel()
        while not queue.empty():  # or whoever waits for idleness would wait for ever
            queue.get_nowait()
            queue.task_done()

    async def stop(self) -> None:
        """Give up what is still queued and close the connections."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    def _queue(self, hook: Hook) -> asyncio.Queue[Delivery]:
        if hook.id not in self._queues:
            self._queues[hook.id] = asyncio.Queue()
            self._tasks[hook.id] = asyncio.create_task(self._carry(hook), name=f"webhooks of hook {hook.id}")
        return self._queues[hook.id]

    async def _carry(self, hook: Hook) -> None:
        queue = self._queues[hook.id]
        while True:
            delivery = await queue.get()
            try:
                await self._hand_over(hook, delivery)
            finally:
                queue.task_done()

    async def _hand_over(self, hook: Hook, delivery: Delivery) -> None:
        if self._client is None:
            # receivers are test programs and local processes: no proxy of the environment, no certificate check
            self._client = httpx.AsyncClient(timeout=TIMEOUT, trust_env=False, verify=False)  # noqa: S501
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            answer = await self._client.post(hook.url, content=delivery.body, headers=delivery.headers)
        except httpx.TimeoutException:
            delivery.status = "timed out"
        except (httpx.HTTPError, httpx.InvalidURL):
            delivery.status = "failed to connect to host"
        else:
            delivery.status_code = answer.status_code
            delivery.status = "OK" if answer.is_success else f"Invalid HTTP Response: {answer.status_code}"
            delivery.response_headers = dict(answer.headers)
            with suppress(UnicodeDecodeError):
                delivery.response_body = answer.content[:KEPT_BODY].decode()
        delivery.duration = round(loop.time() - started, 3)
        delivery.delivered_at = self._now()

    @staticmethod
    def _keep(hook: Hook, delivery: Delivery) -> None:
        hook.deliveries.append(delivery)
        del hook.deliveries[:-KEPT_DELIVERIES]


def _encode(hook: Hook, payload: dict[str, Any]) -> bytes:
    text = json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
    if hook.content_type == "form":
        return urlencode({"payload": text}).encode()
    return text.encode()


def _headers(hook: Hook, delivery: Delivery) -> dict[str, str]:
    form = hook.content_type == "form"
    target, target_id = ("repository", delivery.repository_id) if hook.app is None else ("integration", hook.app.id)
    headers = {
        "Accept": "*/*",
        "Content-Type": "application/x-www-form-urlencoded" if form else "application/json",
        "User-Agent": "GitHub-Hookshot/practice",
        "X-GitHub-Delivery": delivery.guid,
        "X-GitHub-Event": delivery.event,
        "X-GitHub-Hook-ID": str(hook.id),
        "X-GitHub-Hook-Installation-Target-ID": str(target_id),
        "X-GitHub-Hook-Installation-Target-Type": target,
    }
    if hook.secret:
        headers["X-Hub-Signature"] = f"sha1={_sign(hook.secret, delivery.body, 'sha1')}"
        headers["X-Hub-Signature-256"] = f"sha256={_sign(hook.secret, delivery.body, 'sha256')}"
    return headers


def _sign(secret: str, body: bytes, digest: str) -> str:
    return hmac.new(secret.encode(), body, getattr(hashlib, digest)).hexdigest()

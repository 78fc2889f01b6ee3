"""A client that checks every request and every answer against GitHub's description, and remembers what it called."""

import base64
import json
from typing import Any
from urllib.parse import quote

import httpx
from tools.github_contract import Contract, contract


class CheckedClient:
    """Calls the forge's API; a violation of GitHub's description fails the test at once."""

    def __init__(self, api_url: str, token: str | None = None) -> None:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._client = httpx.Client(base_url=api_url, headers=headers, timeout=20, trust_env=False)
        self._contract: Contract = contract()
        self.called: set[tuple[str, str]] = set()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        status: int | None = None,
        well_formed: bool = True,
    ) -> Any:
        """Send a request, check both sides, return the JSON. ``well_formed`` False: it is wrong on purpose."""
        if well_formed:
            problems = self._contract.request_problems(method, path, query or {}, body)
            assert not problems, f"request {method} {path}: {problems}"
        answer = self._client.request(method, quote(path), json=body, params=query, headers=headers)
        shown = json.loads(answer.content) if answer.content and "json" in answer.headers["content-type"] else None
        is_text = bool(answer.content) and shown is None  # a diff
        if not is_text:
            problems = self._contract.response_problems(method, path, answer.status_code, shown)
            assert not problems, f"response {answer.status_code} of {method} {path}: {problems}"
        found = self._contract.operation(method, path)
        if found is not None and answer.is_success:
            self.called.add((method, found[0]))
        if status is None:
            assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        else:
            assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.text if shown is None and answer.content else shown


def b64(text: str) -> str:
    """Encode file contents for the contents endpoint."""
    return base64.b64encode(text.encode()).decode()

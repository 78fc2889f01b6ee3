"""A whole Stagewright for browsers: the peaceful platform with a door by which browser tests act as the forge's people.

``python -m tests.e2e.console.stack`` starts one for looking around and prints where it is.
"""

import json
import re
import secrets
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import quote

from tests.e2e.platform import Platform, running_platform
from tests.e2e.repository import Repository
from tests.e2e.waiting import wait_until

from stagewright.kit.crypto import hash_secret

SLOW = """
- run: for i in $(seq 1 40); do echo "step $i of 40"; sleep 0.1; done
- write: {path: src/hello.py, content: "print('hello')\\n"}
- usage: {tokens_in: 1200, tokens_cached: 200, tokens_out: 70}
- result: {title: Say hello, summary: It greets whoever starts it.}
"""
LONG = """
- run: echo begun; sleep 60
- write: {path: late.md, content: late}
"""
BROKEN = """
- run: printf '\\033[31mred\\033[0m and \\033[1;32mbold green\\033[0m\\n'; exit 3
- fail: tests_failed
"""
HELD = """
- write: {path: .github/workflows/hello.yml, content: "on: push\\njobs: {}\\n"}
- write: {path: src/hello.py, content: "print('hello')\\n"}
- usage: {tokens_in: 900, tokens_cached: 100, tokens_out: 50}
- result: {title: Greet in a workflow, summary: It greets at every push.}
"""
ASKS = """
- result: {status: needs_input, question: Which colour?}
- write: {path: src/hello.py, content: "print('blue')\n"}
- result: {title: A blue greeting, summary: It greets in blue.}
"""
MILLION = """
- run: seq -f 'count %.0f' 1 1000000
- write: {path: counted.md, content: "1000000"}
"""
NO_POLICY = "version: nobody knows\n"
SCENARIOS = {
    "quick": "",
    "slow": SLOW,
    "long": LONG,
    "broken": BROKEN,
    "million": MILLION,
    "held": HELD,
    "asks": ASKS,
}
Act = Callable[[Mapping[str, Any]], Any]


class Stack:
    """What browser tests may ask for: a sign-in link, work for the agents, a gateway that goes and comes back."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.repositories: dict[str, Repository] = {}
        self.acts: dict[str, Act] = {
            "/sign-in": lambda _: self.sign_in(),
            "/start": self.start,
            "/finished": self.finished,
            "/next-link": self.next_link,
            "/label": self.label,
            "/recolour": self.recolour,
            "/gateway": self.gateway,
            "/incident": self.incident,
            "/member": lambda _: self.member(),
        }

    def repository(self, scenario: str) -> Repository:
        """Return the repository whose developer plays ``scenario``."""
        if scenario not in self.repositories:
            text = SCENARIOS[scenario]
            rehearsals = {"dev": text} if text else {}
            self.repositories[scenario] = self.platform.repository(rehearsals=rehearsals, by_rest=True)
        return self.repositories[scenario]

    def sign_in(self) -> dict[str, str]:
        """Make a one-time link for the owner."""
        answer = self.platform.ask("POST", "/me/login-code", {})
        assert answer.is_success, answer.text
        return {"url": str(answer.json()["url"])}

    def start(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """Label an issue; answer once its run exists."""
        repository = self.repository(str(wish.get("scenario", "quick")))
        issue = repository.start(str(wish.get("label", "run:dev")), title=str(wish.get("title", "Say hello")))
        sql = "select id, number from runs where repository_id = %(r)s and issue_number = %(n)s"

        def queued() -> dict[str, Any] | None:
            found = self.platform.rows(sql, r=repository.bound.repository_id, n=issue)
            return found[0] if found else None

        row = wait_until(queued, "the run is queued", 30.0)
        return {"issue": issue, "run": str(row["id"]), "repository": repository.full_name}

    def finished(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """Wait for the end of a run and say how it ended."""
        sql = "select status from runs where id = %(id)s and status in ('succeeded', 'failed', 'cancelled')"
        row = wait_until(lambda: self.platform.rows(sql, id=wish["run"]), "the run ends", 60.0)[0]
        return {"status": row["status"]}

    def next_link(self, wish: Mapping[str, Any]) -> dict[str, str]:
        """Return the link to a next step from an issue's newest status comment, as a person finds it there."""
        repository, issue = self.named(wish), int(wish["issue"])
        step = re.compile(
            r"\((\S+/next-step\?\S*target_label=" + re.escape(quote(str(wish["label"]), safe="")) + r"\S*)\)"
        )

        def told() -> str | None:
            found = [step.search(body) for body in reversed(repository.status_comments(issue))]
            return next((link[1] for link in found if link), None)

        return {"url": wait_until(told, f"a comment links to {wish['label']}", 30.0)}

    def label(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """Put a label on an issue, as somebody at the forge does meanwhile."""
        self.named(wish).label(int(wish["issue"]), str(wish["label"]))
        return {}

    def recolour(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """Give a label of the repository another colour, as somebody at the forge does."""
        self.named(wish).ask("PATCH", f"/labels/{quote(str(wish['label']), safe='')}", {"color": "ff0000"})
        return {}

    def named(self, wish: Mapping[str, Any]) -> Repository:
        """Return the repository that a wish names."""
        return next(one for one in self.repositories.values() if one.full_name == wish["repository"])

    def incident(self, _: Mapping[str, Any]) -> dict[str, Any]:
        """Break something as people do: a policy that is no policy; answer once its incident stands in the list."""
        repository = self.platform.repository(policy=NO_POLICY, by_rest=True)
        repository.start(title="Under a broken policy")

        def reported() -> dict[str, Any] | None:
            answer = self.platform.ask("GET", "/incidents?code=policy_invalid")
            return next(iter(answer.json()["items"]), None)

        return {"id": wait_until(reported, "the incident is reported", 30.0)["id"]}

    def member(self) -> dict[str, str]:
        """Invite somebody without any project and make a link that signs them in.

        People come by GitHub, which a loopback installation has not: the code is planted, everything else is real.
        """
        email = f"member-{len(self.platform.rows('select id from users'))}@example.test"
        answer = self.platform.ask("POST", "/users", {"email": email, "role": "member"})
        assert answer.status_code == 201, answer.text
        user, code = answer.json()["id"], secrets.token_urlsafe(32)
        self.platform.change("update users set state = 'active' where id = %(id)s", id=user)
        sql = """insert into login_codes (hash, kind, user_id, created_at, expires_at)
            values (%(hash)s, 'local', %(user)s, now(), now() + interval '5 minutes')"""
        self.platform.change(sql, hash=hash_secret(code), user=user)
        return {"url": f"{self.platform.gateway_url}/login#{code}", "email": email}

    def gateway(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """Kill the gateway or start it again."""
        if wish["act"] == "kill":
            self.platform.kill("gateway")
        else:
            self.platform.restart("gateway")
        return {}


@contextmanager
def serving(stack: Stack) -> Iterator[str]:
    """Serve the stack's acts on loopback for the block; yield the address.

    One thread serves them all: a process that a thread starts dies with that thread.
    """

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            wish = json.loads(self.rfile.read(length) or b"{}")
            try:
                status, body = 200, stack.acts[self.path](wish)
            except Exception as error:
                status, body = 500, {"error": f"{type(error).__name__}: {error}"}
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
            return

    server = HTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)


def main() -> None:
    """Run a stack with a little of everything until the input ends."""
    with running_platform() as platform:
        stack = Stack(platform)
        with serving(stack) as control:
            for scenario in ("quick", "slow", "long", "broken"):
                stack.start({"scenario": scenario, "title": f"A {scenario} piece of work"})
            stack.incident({})
            print(json.dumps({"control": control, "url": platform.gateway_url, **stack.sign_in()}), flush=True)
            sys.stdin.read()


if __name__ == "__main__":
    main()

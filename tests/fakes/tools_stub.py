"""An MCP door for engine tests: JSON-RPC over loopback HTTP, a few tools, every request kept for assertions."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NO_ARGUMENTS = {"type": "object", "properties": {}, "additionalProperties": True}


@dataclass
class ToolsStub:
    """Start with ``with ToolsStub() as stub``. ``replies`` maps a tool's name to its result; others are unknown."""

    replies: dict[str, dict[str, Any]] = field(default_factory=dict)
    status: int = 200
    requests: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    url: str = ""
    connections: int = 0
    content_type: str = "application/json"
    _server: ThreadingHTTPServer | None = None

    def __enter__(self) -> "ToolsStub":
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                stub.connections += 1
                super().setup()

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers.get("content-length", "0"))))
                stub.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
                status, answer = stub.answer(body)
                self._send(status, answer)

            def do_GET(self) -> None:
                self._send(405, None)

            def do_DELETE(self) -> None:
                self._send(405, None)

            def _send(self, status: int, answer: Mapping[str, Any] | None) -> None:
                payload = stub.payload(answer)
                self.send_response(status)
                self.send_header("content-type", stub.content_type)
                self.send_header("content-length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is http.server's
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/mcp"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def payload(self, answer: Mapping[str, Any] | None) -> bytes:
        """Return the bytes of an answer."""
        return json.dumps(answer).encode() if answer is not None else b""

    def calls(self) -> list[tuple[str, Any]]:
        """Return (tool, arguments) of every call."""
        return [
            (body["params"]["name"], body["params"].get("arguments"))
            for _, body in self.requests
            if body.get("method") == "tools/call"
        ]

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any] | None]:
        """Return status and reply for one JSON-RPC message."""
        if self.status != 200:
            return self.status, {"error": "refused"}
        method = body.get("method", "")
        if "id" not in body:
            return 202, None
        result: dict[str, Any] | None = None
        if method == "initialize":
            result = {
                "protocolVersion": body["params"].get("protocolVersion", "2025-06-18"),
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "tools-stub", "version": "1"},
            }
        elif method == "tools/list":
            result = {"tools": [_described(name) for name in sorted(self.replies)]}
        elif method == "tools/call":
            result = self.replies.get(body["params"]["name"])
        elif method == "ping":
            result = {}
        if result is None:
            error = {"code": -32602 if method == "tools/call" else -32601, "message": f"Unknown: {method}"}
            return 200, {"jsonrpc": "2.0", "id": body["id"], "error": error}
        return 200, {"jsonrpc": "2.0", "id": body["id"], "result": result}


def a_reply(text: str, *, error: bool = False, **structured: Any) -> dict[str, Any]:
    """Return a tool result."""
    reply: dict[str, Any] = {"content": [{"type": "text", "text": text}], "isError": error}
    if structured:
        reply["structuredContent"] = structured
    return reply


def _described(name: str) -> dict[str, Any]:
    return {"name": name, "description": f"The tool {name}.", "inputSchema": NO_ARGUMENTS}

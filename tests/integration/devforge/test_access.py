"""Who may do what: unknown tokens are nobody, permissions and roles are enforced, Apps prove themselves."""

from datetime import datetime
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from tests.fakes.devforge import RunningForge
from tests.integration.devforge.checked import b64
from tests.integration.devforge.conftest import Connect

from stagewright.processes.devforge.seed import Planted

READER, TRIAGER, WRITER, ADMIN = "read", "triage", "write", "admin"
ACTS: dict[str, tuple[str, str, Any, str]] = {
    # name: method, path below the repository, body, least role
    "read an issue": ("GET", "/issues/1", None, READER),
    "open an issue": ("POST", "/issues", {"title": "T"}, READER),
    "comment": ("POST", "/issues/1/comments", {"body": "B"}, READER),
    "react": ("POST", "/issues/1/reactions", {"content": "eyes"}, READER),
    "close another's issue": ("PATCH", "/issues/1", {"state": "closed"}, TRIAGER),
    "label an issue": ("POST", "/issues/1/labels", {"labels": ["known"]}, TRIAGER),
    "label with a new label": ("POST", "/issues/1/labels", {"labels": ["unknown"]}, WRITER),
    "make a label": ("POST", "/labels", {"name": "made"}, WRITER),
    "make a branch": ("POST", "/git/refs", {"ref": "refs/heads/b", "sha": "0" * 40}, WRITER),
    "write a file": ("PUT", "/contents/new.txt", {"message": "M", "content": b64("x")}, WRITER),
    "see a permission": ("GET", "/collaborators/{login}/permission", None, WRITER),
    "list hooks": ("GET", "/hooks", None, ADMIN),
    "make a hook": ("POST", "/hooks", {"config": {"url": "http://127.0.0.1:9"}}, ADMIN),
}
ROLES = [READER, TRIAGER, WRITER, ADMIN]
REFUSED = (403, 404)


@pytest.fixture
def planted(devforge: RunningForge) -> Planted:
    return devforge.plant(private=True)


def api_as(connect: Connect, planted: Planted, token: str | None) -> httpx.Client:
    return connect(f"{planted.api_url}/repos/{planted.full_name}", token)


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_do_what_it_may_and_no_more(
    devforge: RunningForge, planted: Planted, connect: Connect, role: str
) -> None:
    login = f"{role}-of-{planted.owner}"
    devforge.control.ask("POST", "/users", {"login": login})
    devforge.control.ask("PUT", f"/repositories/{planted.full_name}/collaborators/{login}", {"role": role})
    api_as(connect, planted, planted.bot_token).post("/labels", json={"name": "known"})
    api = api_as(connect, planted, devforge.control.token(login))
    for name, (method, path, body, least) in ACTS.items():
        answer = api.request(method, path.format(login=login), json=body)
        allowed = ROLES.index(role) >= ROLES.index(least)
        assert (answer.status_code not in REFUSED) == allowed, f"{role}: {name}: {answer.status_code} {answer.text}"


PERMISSIONS = {
    "contents": ("PUT", "/contents/by-permission.txt", {"message": "M", "content": b64("x")}),
    "issues": ("POST", "/issues", {"title": "T"}),
    "pull_requests": ("POST", "/pulls", {"title": "T", "head": "none", "base": "main"}),
    "repository_hooks": ("GET", "/hooks", None),
}


@pytest.mark.parametrize("held", PERMISSIONS)
def test_a_fine_grained_token_does_only_what_it_was_made_for(
    devforge: RunningForge, planted: Planted, connect: Connect, held: str
) -> None:
    token = devforge.control.token(planted.bot, permissions={held: "write"}, repositories=[planted.full_name])
    api = api_as(connect, planted, token)
    for permission, (method, path, body) in PERMISSIONS.items():
        answer = api.request(method, path, json=body)
        # issues may be opened by whoever may write pull requests: they share the routes of threads
        shared = permission == "issues" and held == "pull_requests"
        if held == permission or shared:
            assert answer.status_code not in REFUSED, answer.text
        else:
            assert answer.status_code in REFUSED, f"{permission}: {answer.text}"
            if answer.status_code == 403:
                assert answer.json()["message"] == "Resource not accessible by personal access token"
                assert permission in answer.headers["X-Accepted-GitHub-Permissions"]


def test_a_permission_to_read_does_not_write(devforge: RunningForge, planted: Planted, connect: Connect) -> None:
    wish = {"permissions": {"issues": "read", "contents": "read"}, "repositories": [planted.full_name]}
    api = api_as(connect, planted, devforge.control.token(planted.bot, **wish))
    assert api.get("/issues/1").status_code == 200
    assert api.post("/issues", json={"title": "T"}).status_code == 403


def test_a_token_of_another_repository_sees_nothing_private(
    devforge: RunningForge, planted: Planted, connect: Connect
) -> None:
    other = devforge.plant()
    token = devforge.control.token(planted.bot, permissions={"issues": "write"}, repositories=[other.full_name])
    assert api_as(connect, planted, token).get("/issues/1").status_code == 404


def test_a_classic_token_without_scopes_reads_public_things_only(devforge: RunningForge, connect: Connect) -> None:
    public, private = devforge.plant(), devforge.plant(private=True)
    bare = devforge.control.token(public.owner, scopes=[])
    assert api_as(connect, public, bare).get("/issues/1").status_code == 200
    assert api_as(connect, public, bare).post("/issues", json={"title": "T"}).status_code == 403
    hooks = devforge.control.token(private.owner, scopes=["admin:repo_hook"])
    assert api_as(connect, private, hooks).get("/issues/1").status_code == 404
    answer = connect(private.api_url, hooks).get("/user")
    assert answer.headers["X-OAuth-Scopes"] == "admin:repo_hook"


@pytest.mark.parametrize("header", ["Bearer ghp_unknown", "Bearer", "Basic !!!", "Digest x", "token"])
def test_unknown_credentials_are_refused_everywhere(devforge: RunningForge, connect: Connect, header: str) -> None:
    planted = devforge.plant()
    answer = connect(planted.api_url).get(f"/repos/{planted.full_name}", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.json()["message"] == "Bad credentials"


def test_nobody_reads_public_things_and_changes_nothing(devforge: RunningForge, connect: Connect) -> None:
    api = api_as(connect, devforge.plant(), None)
    assert api.get("/issues/1").status_code == 200
    refused = api.post("/issues", json={"title": "T"})
    assert (refused.status_code, refused.json()["message"]) == (401, "Requires authentication")
    assert connect(devforge.api_url).get("/user").status_code == 401


def test_tokens_expire_and_are_revoked(devforge: RunningForge, planted: Planted, connect: Connect) -> None:
    short = devforge.control.token(planted.bot, expires_in=60)
    api = api_as(connect, planted, short)
    assert api.get("/labels").status_code == 200
    devforge.control.advance(61)
    assert api.get("/labels").status_code == 401
    api = api_as(connect, planted, planted.bot_token)
    assert api.get("/labels").status_code == 200
    devforge.control.ask("POST", "/tokens/revoke", {"token": planted.bot_token})
    assert api.get("/labels").status_code == 401


def test_only_the_author_or_a_writer_changes_a_comment(
    devforge: RunningForge, planted: Planted, connect: Connect
) -> None:
    login = f"guest-of-{planted.owner}"
    devforge.control.ask("POST", "/users", {"login": login})
    devforge.control.ask("PUT", f"/repositories/{planted.full_name}/collaborators/{login}", {"role": "triage"})
    guest = api_as(connect, planted, devforge.control.token(login))
    bot = api_as(connect, planted, planted.bot_token)
    mine = guest.post("/issues/1/comments", json={"body": "mine"}).json()["id"]
    theirs = bot.post("/issues/1/comments", json={"body": "theirs"}).json()["id"]
    assert guest.patch(f"/issues/comments/{mine}", json={"body": "still mine"}).status_code == 200
    assert guest.patch(f"/issues/comments/{theirs}", json={"body": "taken"}).status_code == 403
    assert guest.delete(f"/issues/comments/{theirs}").status_code == 403
    assert bot.delete(f"/issues/comments/{mine}").status_code == 204


class AnApp:
    """A GitHub App of a planted owner, installed on one repository."""

    def __init__(self, forge: RunningForge, planted: Planted) -> None:
        wish = {
            "owner": planted.owner,
            "slug": f"app-of-{planted.owner}",
            "permissions": {"issues": "write", "contents": "read"},
        }
        made = forge.control.ask("POST", "/apps", wish)
        chosen = {"account": planted.owner, "repositories": [planted.full_name]}
        self.id = made["id"]
        self.installation = forge.control.ask("POST", f"/apps/{made['id']}/installations", chosen)["id"]
        self.slug = made["slug"]
        self.key = RSAKey.import_key(made["private_key"])

    def jwt(self, *, algorithm: str = "RS256", **claims: Any) -> str:
        # the forge's clock may have been moved ahead by other tests: its answers tell its time
        now = claims.pop("now")
        told = {"iat": now - 30, "exp": now + 300, "iss": str(self.id)} | claims
        return jwt.encode({"alg": algorithm}, told, self.key, algorithms=[algorithm])


@pytest.fixture
def now(devforge: RunningForge, connect: Connect) -> int:
    """Return the forge's time in Unix seconds."""
    moment = devforge.control.ask("POST", "/clock", {"advance_seconds": 0})["now"]
    return int(datetime.fromisoformat(moment).timestamp())


def test_an_app_gets_tokens_that_expire(devforge: RunningForge, planted: Planted, connect: Connect, now: int) -> None:
    app = AnApp(devforge, planted)
    minted = connect(planted.api_url, app.jwt(now=now)).post(f"/app/installations/{app.installation}/access_tokens")
    assert minted.status_code == 201
    api = api_as(connect, planted, minted.json()["token"])
    made = api.post("/issues", json={"title": "By the App"})
    assert made.json()["user"] == made.json()["user"] | {"login": f"{app.slug}[bot]", "type": "Bot"}
    assert made.json()["performed_via_github_app"]["slug"] == app.slug
    theirs = api_as(connect, planted, planted.bot_token).post("/issues/1/comments", json={"body": "B"}).json()["id"]
    assert api.patch(f"/issues/comments/{theirs}", json={"body": "Edited by the App"}).status_code == 200
    assert connect(planted.api_url, minted.json()["token"]).get("/user").status_code == 403
    refused = api.put("/contents/x.txt", json={"message": "M", "content": b64("x")})
    assert (refused.status_code, refused.json()["message"]) == (403, "Resource not accessible by integration")
    devforge.control.advance(3601)
    assert api.get("/issues/1").status_code == 401


def test_a_token_of_an_app_can_be_narrowed_and_not_widened(
    devforge: RunningForge, planted: Planted, connect: Connect, now: int
) -> None:
    app = AnApp(devforge, planted)
    api = connect(planted.api_url, app.jwt(now=now))
    mint = f"/app/installations/{app.installation}/access_tokens"
    narrow = api.post(mint, json={"permissions": {"contents": "read"}}).json()["token"]
    assert api_as(connect, planted, narrow).get("/issues/1").status_code == 403
    assert api_as(connect, planted, narrow).get("/contents/README.md").status_code == 200
    assert api.post(mint, json={"permissions": {"contents": "write"}}).status_code == 422
    assert api.post(mint, json={"repositories": ["elsewhere"]}).status_code == 422


def test_an_app_reaches_only_where_it_is_installed(
    devforge: RunningForge, planted: Planted, connect: Connect, now: int
) -> None:
    app, other = AnApp(devforge, planted), devforge.plant(private=True)
    api = connect(planted.api_url, app.jwt(now=now))
    assert api.get(f"/repos/{planted.full_name}/installation").json()["id"] == app.installation
    assert api.get(f"/repos/{other.full_name}/installation").status_code == 404
    token = api.post(f"/app/installations/{app.installation}/access_tokens").json()["token"]
    assert api_as(connect, other, token).get("/issues/1").status_code == 404


@pytest.mark.parametrize(
    "claims",
    [{"exp": -10}, {"exp": 3600}, {"iat": 600}, {"exp": None}, {"iss": "1"}, {"algorithm": "RS512"}],
)
def test_a_bad_proof_of_an_app_is_refused(
    devforge: RunningForge, planted: Planted, connect: Connect, now: int, claims: dict[str, Any]
) -> None:
    moved: dict[str, Any] = {name: now + value if isinstance(value, int) else value for name, value in claims.items()}
    proof = AnApp(devforge, planted).jwt(now=now, **moved)
    assert connect(planted.api_url, proof).get("/app").status_code in (401, 404)


def test_a_proof_signed_by_another_key_is_refused(
    devforge: RunningForge, planted: Planted, connect: Connect, now: int
) -> None:
    app, other = AnApp(devforge, planted), AnApp(devforge, devforge.plant())
    forged = other.jwt(now=now, iss=str(app.id))
    refused = connect(planted.api_url, forged).get("/app")
    assert (refused.status_code, refused.json()["message"]) == (401, "A JSON web token could not be decoded")
    assert connect(planted.api_url, planted.bot_token).get("/app").status_code == 401

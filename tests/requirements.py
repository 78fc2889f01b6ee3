"""Which test shows which requirement: ids of the steps (``A1.2``: point 1 of A), of their ends (``AD``), of the pages.

Every id of ``SAYS`` has its tests in ``evidence.txt`` (the id, then indented lines ``file::test`` below ``tests/``) or
stands in ``PENDING`` with the reason why it has none yet. ``tests/unit/house/test_requirements.py`` checks both, and
that the named tests exist.
"""

from pathlib import Path
from typing import Final

SAYS: Final[dict[str, str]] = {
    # 1. The house
    "A1.1": "every import contract exists and bites",
    "A1.2": "every context and edge module that exists is under contract",
    "A1.3": "sizes, purposes, words, SQL text and purity are checked, and the checks bite",
    "A1.4": "locks hold hashes and no addresses, and what pyproject.toml asks for",
    "A1.5": "generated files (stubs, schema) are current",
    "A1.6": "make help lists every command; CI runs make test",
    "A1.7": "the documents and decisions exist, their links resolve, their policy examples are valid",
    # 2. kit
    "A2.1": "five kinds of errors, mapped once per door",
    "A2.2": "read and write transactions over a psycopg 3 pool",
    "A2.3": "forward-only migrations with lock and statement timeouts under an advisory lock",
    "A2.4": "journal with snapshot cursor: a late commit of a lower number is not lost",
    "A2.5": "journal keeps the order of a stream; the doorbell is only a bell",
    "A2.6": "journal hash chain shows tampering",
    "A2.7": "loops: one duty each, leases, jitter, graceful stop, error isolation",
    "A2.8": "envelope encryption with AES-256-GCM, HKDF per purpose, key ids",
    "A2.9": "redaction of raw, base64, hex and URL forms, across chunk borders",
    "A2.10": "settings in one place; refuse to start without what is needed; unknown names refused",
    "A2.11": "structured logs with correlation ids",
    "A2.12": "health, readiness and metrics endpoints",
    # 3. Embedded PostgreSQL
    "A3.1": "the server runs from the wheel on a Unix socket, as root under the system user",
    "A3.2": "the server survives kill -9 of the program and is adopted",
    "A3.3": "the schema is upgraded at start",
    "A3.4": "STAGEWRIGHT_DATABASE_URL switches to a server",
    # 4. workflow
    "A4.1": "the built-in policy is complete: labels, stages, roles, scopes, limits, profiles, next steps, models",
    "A4.2": "the loader reports all errors with path and line",
    "A4.3": "the policy's JSON Schema agrees with the loader",
    "A4.4": "a project overrides the policy, and may only narrow what protects",
    "A4.5": "decide for trigger labels: every reason of that row is reached",
    "A4.6": "an event whose rule is not built is stored and ignored as event_not_used",
    # 5. intake
    "A5.1": "webhook door: HMAC over raw bytes with two secrets, size cap, one insert, 202/200/400/401/413",
    "A5.2": "the reconciler claims, parses, authorises before any effect, decides and hands on in one transaction",
    "A5.3": "the state scan repairs lost deliveries",
    "A5.4": "every payload of GitHub's public examples is parsed or recorded as unhandled",
    # 6. vault, projects, identity
    "A6.1": "repo add binds a repository with an encrypted credential and webhook secrets",
    "A6.2": "the label bootstrap is generated from the policy, idempotent, and never deletes",
    "A6.3": "the embedded mode has a generated local owner",
    "A6.4": "API tokens: hashed, scoped, expiring, revocable",
    "A6.5": "project roles decide what a caller may do",
    "A6.6": "every route has an authorisation decision",
    # 7. runs
    "A7.1": "run, attempt and wait change status by compare-and-set with one event per transition",
    "A7.2": "an issue has one active run per lane",
    "A7.3": "admission by limits, fair over projects",
    "A7.4": "leases, generations and stale recovery",
    "A7.5": "cancel stops a run in every status",
    "A7.6": "the run's clocks end what takes too long",
    "A7.7": "pull-request links are kept",
    "A7.8": "effects: reserved, submitted, done or unknown; unknown is resolved by reading",
    "A7.9": "rate limits are shared, durable waits",
    "A7.10": "results are quarantined, checked and published by the platform",
    "A7.11": "labels are moved as tabled",
    "A7.12": "one status comment per run, ru and en, updated in place",
    "A7.13": "diagnostic comments: one per reason, resolved in place",
    # 8. Runner protocol
    "A8.1": "attempt-scoped tokens, each at its own door only",
    "A8.2": "the assignment is fetched once and holds no credential",
    "A8.3": "the source reaches the workload without a forge credential",
    "A8.4": "events and log chunks are streamed with resume",
    "A8.5": "session archives are saved and restored",
    "A8.6": "a result is a git bundle and a report, with one repair turn",
    "A8.7": "old generations are refused, a late current completion is accepted",
    # 9. Runtime local
    "A9.1": "an attempt is a process group in its own directory with a clean environment",
    "A9.2": "an attempt is killed as a group",
    "A9.3": "a live attempt is adopted, a dead one fails, after the worker died",
    # 10. Engines
    "A10.1": "every engine keeps the same contract",
    "A10.2": "codex: events, resume, usage and failures of the pinned CLI",
    "A10.3": "command: any command line, result file or failure",
    "A10.4": "scripted: every step of a scenario, deterministic",
    "A10.5": "claude: events, resume, usage and failures of the pinned CLI",
    "A10.6": "the model relay holds the key, allows the run's models, records usage, streams",
    "A10.7": "the runner's loopback relay adds the token; the engine holds none",
    # 11. Prompts
    "A11.1": "every part reaches its prompt, for all roles and stages, in ru and en",
    "A11.2": "untrusted text is delimited and sanitised",
    "A11.3": "prompts keep to size limits",
    "A11.4": "the rendered prompt and its hash are stored",
    # 12. Practice forge
    "A12.1": "requests and responses agree with GitHub's published description",
    "A12.2": "webhooks are signed and numbered by GUIDs",
    "A12.3": "strict tokens, ETag, rate limits and faults",
    "A12.4": "smart HTTP git over real bare repositories",
    "A12.5": "pages to label an issue and read a diff",
    # 13. gateway and CLI
    "A13.1": "REST for what exists, problem+json",
    "A13.2": "the OpenAPI document is current and answers agree with it",
    "A13.3": "lists page by cursor",
    "A13.4": "CLI: commands, outputs, examples",
    "A13.5": "CLI: exit codes",
    "A13.6": "CLI: start-up imports nothing it must not",
    # 14. Demo
    "A14.1": "make demo ends with a pull request and state:in-review",
    "A14.2": "up against a real repository is documented step by step",
    # It is done when
    "AD1": "make demo in a fresh clone with a clean HOME: the pull request holds the change, under 60 s",
    "AD2": "make test passes from a fresh clone",
    "AD3.1": "end to end: label to pull request",
    "AD3.2": "end to end: duplicated and redelivered webhooks make one run",
    "AD3.3": "end to end: conflicting labels make one diagnostic comment",
    "AD3.4": "end to end: a stranger's label is refused with a reason",
    "AD3.5": "end to end: a markdown-only stage that edits code pushes nothing, also by rename or intermediate commit",
    "AD3.6": "end to end: cancel while queued, preparing, running, finishing",
    "AD3.7": "end to end: a lost webhook is repaired by the scan",
    "AD3.8": "end to end: seeded random kills of every process converge to one pull request and one comment",
    "AD4": "the acceptance scenarios named by step A are tests with their ids",
    "AD5": "planted canaries appear in no log, row, comment, prompt, file, environment or process listing",
    "AD6": "make bench prints the figures side by side",
    "AD7": "bad input gets a clear error that names the field and the remedy",
    # Step B. 1. Realtime gateway
    "B1.1": "socket protocol: greeting, subscriptions, signs of life, limits, close codes, a schema of its messages",
    "B1.2": "topics are pure functions of journal rows",
    "B1.3": "replay from a snapshot cursor, then live: without loss, disorder or doubles; else resync",
    "B1.4": "a queue per socket; lists get the last version of a key, four times a second at most",
    "B1.5": "rights are read again on change; sessions and tokens end their sockets",
    "B1.6": "log topics: in order, gaps named, always an end, each chunk with its time, by REST as well",
    "B1.7": "polling gives the same frames by the same functions",
    "B1.8": "one reader per process, woken by a bell, never dependent on it",
    "B1.9": "the journal's retention, by whole days",
    "B1.10": "metrics: lag, sockets, resyncs",
    "B1.11": "a frame is the part of the view that is equal for all, with what its reader may do",
    # 2. Sessions
    "B2.1": "the local owner signs in by a one-time link",
    "B2.2": "GitHub: state, PKCE, allowed addresses, nobody registers themself",
    "B2.3": "cookies, and proofs of every write; refusals are counted",
    "B2.4": "security headers, and a style nonce for each page",
    "B2.5": "roles and the permission table",
    "B2.6": "users and members are invited, changed and removed; the last admin and the owner stay",
    "B2.7": "what ended is forgotten in time",
    "B2.8": "what an act stops, loses and leaves comes as codes; every client has words for each in both languages",
    # 3. Console
    "B3.1": "the console's pages, deep and short links are served by the gateway and no other path is a page",
    "B3.2": "inbox: only what needs this person, why, and what each answer does",
    "B3.3": "waits: for what, since when, who can act, until when, and what happens otherwise",
    "B3.4": "a run watched live, its log to the last of a million lines, both themes, by keyboard in Russian",
    "B3.5": "a run or an error opens beside its list, the scope is in the address, every page has every state",
    # 4. Incidents
    "B4.1": "fingerprints: equal problems are one row, counted",
    "B4.2": "incidents hold no secrets",
    "B4.3": "viewed by one is still seen by others; back after an hour",
    "B4.4": "muting, resolving, and a recurrence linked to the old one",
    "B4.5": "incidents are forgotten when the settings say",
    "B4.6": "every process writes incidents, and none fails by it",
    "B4.7": "the alert stack shows five and counts the rest",
    # 5. Build and delivery
    "B5.1": "the console is installed from its lock with the Node of the wheel",
    "B5.2": "the built console is served packed and cached",
    "B5.3": "the TypeScript client is generated from the OpenAPI document and checked for drift",
    "B5.4": "byte budgets are enforced with every test run",
    "B5.5": "the built console is shipped in the Python wheel",
    # 6. Demo
    "B6.1": "the demo prints the console's address and signs its visitor in once",
    # It is done when
    "BD1": "three gateways, sixteen writers, sockets that drop: the committed set, or resync",
    "BD2": "browser tests over the real processes, axe on every screen and theme",
    "BD3": "every role at every route and topic; revocation at once; forgery, class confusion, redirects, framing",
    "BD4": "make bench prints the feed's figures; make console-bench those of paint and bytes",
    "BD5": "screens looked at in both themes and languages at 1280 and 360 px",
    # runs.md 19, as far as step A has the parts
    "RN1": "same delivery twice: one run; refused twice: one diagnostic comment",
    "RN2": "two run labels: refused, one conflict comment, no run",
    "RN3": "non-member or bot adds run:dev: refused with reason, label removed (closing: stored and ignored)",
    "RN4": "review on a PR with one or two stage labels, link, several Issues, no history, unmanaged PR",
    "RN5": "review on the older of two PRs of an Issue: the stage of that PR",
    "RN6": "every next-step cell: exact targets and variants (text in the comment; links come)",
    "RN7": "two model or reasoning labels on one Issue: failed(precondition), both named",
    "RN8": "qa or release without candidate: refused, hint run:dev, need:input",
    "RN9": "project without capacity does not hide another; roles do not hide each other",
    "RN10": "worker killed while launching, running, finishing: one workload, one push, one pull request",
    "RN11": "cancel in every status; nothing relaunched",
    "RN13": "provider limits delay, the run continues by itself",
    "RN14": "docs stage with code, by change, rename or intermediate commit",
    "RN15": "reviewer leaves changed files: failed(policy), nothing posted, PR untouched",
    "RN16": "revise without its branch, its open pull request, or of a fork: refused, or failed before a workload",
    "RN17": "Issue closed during a run by a permitted person: run cancelled (its environment comes)",
    "RN18": "status comment deleted once is recreated, twice is suppressed",
    "RN20": "prompt for every stage, role, kind, mode and locale",
    "RN21": "16 workers, 500 queued runs, random kills: no limit exceeded, none lost or starved",
    "RN22": "message of an old generation refused; late completed accepted",
    "RN23": "runner dies between proposal and outcome: published once",
    "RN24": "pull request creation times out after it happened: one pull request",
    "RN25": "a person pushes during a revise: on top, or one more attempt, then branch_moved",
    "RN26": "secrets in a result, in base64 or an early commit: repair, then failed; nowhere stored",
    "RN27": "crafted trees are refused, one code each",
    "RN28": "fifty injected issue texts, obedient agent: no effect outside policy (tools come later)",
    "RN29": "invisible characters and HTML comments are removed and counted",
    "RN30": "poisoned agent configuration in the branch is not loaded",
    "RN34": "stalled agent, active limit, source that never arrives",
    "RN35": "trigger label removed by a person: run cancelled; by the platform: ignored",
    "RN39": "each gate of section 8 at the decision and between decision and launch: refused; failed(precondition)",
    "RN41": "tokens of one attempt at another's doors (tool parts later)",
    "RN42": "each engine: fresh, resume, kill, bad credential, provider down, invalid report (tool parts later)",
    "RN44": "log flood, cap, split characters and secrets, killed runner",
    "RN45": "the full chain with the rehearsal engine in both languages: every stage succeeds, one comment per run",
    # workflow.md 19
    "WF1": "a case per row of 3.3, 7.1, 7.3, 7.4, 7.6, 8, 9, 10, 12, 15 (7.5 comes); each reason built is reached",
    "WF2": "golden: cells of 11.1 by profile, provisional or not, ru and en, deep links (preview and execute come)",
    "WF3": "renaming labels changes no decision, also on ends and reviews; every spelling matches; aliases only start",
    "WF4": "no label or review of a bot, an agent or the platform starts; a failed guard: one comment, one label off",
    "WF5": "every event of section 6 by stored profile and source; only a restart lowers what was chosen",
    "WF6": "each mistake by path and line; loosening refused; the last valid file stays; tables and labels follow",
    "WF7": "deliveries dropped, doubled, shuffled, workers that die: after two scans the runs of the whole history",
    "WF8": "11.4 after every outcome, also when a person changes labels meanwhile (the table; links on the platform)",
    # access.md 14
    "AX1": "route walk: every route has a declared permission",
    "AX2": "permission matrix by role and token scope",
    "AX3": "object rule: foreign and unknown ids answer alike",
    "AX4": "credential class confusion",
    "AX5": "identity headers of proxies and forged forwarded addresses are ignored",
    "AX6": "GitHub login: state, PKCE, codes, addresses, pinning, next path",
    "AX7": "local login: once, for fifteen minutes, on loopback without OAuth only",
    "AX8": "sessions: new secret, idle and absolute end, revocation, demotion",
    "AX9": "CSRF: every unsafe route needs every proof; reads leave the journal alone",
    "AX10": "nobody raises or removes themself or the owner; the last admin stays",
    "AX13": "confirmation: no token, other resource, changed version, reused, expired, wrong name, old token",
    "AX14": "lists: concurrent inserts while paging, tampered cursor, changed filter",
    "AX15": "idempotency keys",
    "AX16": "problems: every code documented and well-formed; odd bodies get problems of known codes only",
    "AX17": "feed: three gateways, sixteen writers, sockets dropped at random, bells off: nothing lost or disordered",
    "AX18": "feed: late commit of a lower number, lost bells, every batch border, a topic added in a storm",
    "AX19": "two transactions on one stream: the later commit is read last",
    "AX20": "member removed, role lowered, session or token revoked, expired: no frame after it, the right close code",
    "AX21": "slow socket, too much missed, old or foreign or garbage cursor: resync with its reason, the socket lives",
    "AX22": "logs: gap, crash without end, new attempt, multi-byte cut, old generation: in order, eof always",
    "AX23": "incidents: counted, viewed by one, back after an hour, muted, redacted; a failing write hurts nobody",
    "AX24": "chain: edit, delete, reorder, truncate is named",
    "AX25": "error table: each class behind each door",
    "AX26": "load: 1,000 sockets, 200 events/s",
    # The whole stage flow
    "C1.1": "what ends with an issue, a pull request or a label, and who may end it; told or found by the scan",
    "C1.2": "labels move when a person approves, dismisses, merges or closes",
    "C1.3": "need:reviewer on a pull request starts a reviewer, by webhook or scan; refusals are said there",
    "C1.4": "an Issue counts as closed by a merge only within minutes of the merge that closes it",
    "C1.5": "what the forge tells of a binding is kept: name, default branch, health; an App only of its own",
    "C7.2": "a reviewer posts one review of type comment that names the commit; its label goes; comment on the PR",
    "C7.3": "a review's text calls nobody, closes nothing; findings outside the diff stand in its body",
    "C7.4": "one review per run, whatever is lost, refused or doubled on the way",
    "C9.1": "every row of a push is decided; a push to the default branch without a cluster: push_no_cluster",
    "C9.2": "the binding's default branch is read again where a push names another",
    "RN19": "push (decision): a default branch of another name, a deleted ref, pushes while deploying",
    "C2.1": "changes_requested starts the revise on the same branch and pull request, once, put off while a run works",
    "C2.2": "an ambiguous or unresolved review asks: need:input, a comment, the revise labels",
    "C7.1": "a review is posted, and a verdict dismissed, by hand on the practice forge's page",
    "C2.3": "the revise's agent is told what reviews say, each once, and the remarks that still stand in the diff",
    "C4.1": "what counts as an accepted result, at the decision and again at the launch",
    "C5.1": "the launch profile is stored per issue, raised by a stage outside its path, never lowered by one",
    "C6.1": "the candidate of qa and release is the newest open change of the issue, pinned to its head",
    "C6.2": "the candidate is read again at the launch: a moved head is journalled, one that is gone ends the run",
    "C8.1": "model and reasoning labels are read at the launch; a conflict or an unknown one is named",
    "CD.2": "an issue walks from intake to operations on the practice forge: artifacts, labels, comments, lineage",
    "CD.3": "each gate refuses with its reason and remedy on the practice forge, and opens when the person does that",
    "CD.4": "machines: one active run per lane and subject, none by a stranger, by the platform's or agents' labels",
    "C10.1": "from an issue, a run or a pull request one comes to stages, runs, pull requests and documents, and back",
    "C10.2": "the lineage shows profile, stage track, label facts, candidate, side runs and the next steps",
    "C10.3": "the lineage names everything that blocks the next step, with the remedy",
    "C10.4": "who may not see the project learns nothing of its issues",
    "C10.5": "issue view draws the stage track in text, and finds an issue by its address or by a run of it",
    "C11.1": "a dry run of the label bootstrap says what would be done and does nothing",
    "C11.2": "a managed label that a person changes on the forge is shown, told, and restored by the next bootstrap",
    "C11.3": "a renaming onto an existing label keeps the old one as an alias that counts; nothing is deleted",
    "C11.4": "the catalogue of labels says when each was used last",
    "C11.5": "threads whose labels differ from our rows are shown with what the next scan will do, and it does that",
}

# Why a requirement has no test yet; an entry leaves with its first test.
PENDING: Final[dict[str, str]] = {
    "BD5": "people look: console/bench/look.mjs takes the pictures; BD2 walks the screens (axe, both themes, widths)",
    "AD2": "CI runs it in a fresh checkout; a test cannot run the whole suite that it is part of",
}


def tests_by_requirement(text: str) -> dict[str, tuple[str, ...]]:
    """Read ``evidence.txt``; an id that stands twice or a test without an id is an error."""
    found: dict[str, tuple[str, ...]] = {}
    name = ""
    for line in text.splitlines():
        if line.startswith("  "):
            found[name] += (line.strip(),)
            continue
        name = line.strip()
        if name in found:
            raise ValueError(f"evidence.txt names {name} twice: join its tests")
        found[name] = ()
    return found


TESTS: Final = tests_by_requirement((Path(__file__).parent / "evidence.txt").read_text(encoding="utf-8"))

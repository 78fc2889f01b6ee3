"""The command tree: names, summaries and places, so that help and completion import no command (cli.md 2)."""

from stagewright.processes.cli.lazy import Branch, Leaf, Table

COMMANDS = "stagewright.processes.cli.commands"


def _at(place: str, summary: str, *, hidden: bool = False) -> Leaf:
    return Leaf(f"{COMMANDS}.{place}", summary, hidden)


RUN: Table = {
    "list": _at("run:list_runs", "List runs, the newest first."),
    "view": _at("run:view", "Show a run: where it is, why, what it made."),
    "watch": _at("run:watch", "Follow a run to its end."),
    "logs": _at("run:logs", "Print a run's log; -f follows it."),
    "events": _at("run:events", "Show everything that happened to a run."),
    "prompt": _at("run:prompt", "Print the prompt the agent got."),
    "result": _at("run:result", "Show what the run handed over."),
    "wait": _at("run:wait", "Wait until a run is where you want it."),
    "cancel": _at("run:cancel", "Stop a run."),
    "start": _at("step:start", "Start a stage on an issue."),
    "revise": _at("step:revise", "Have a stage's result revised."),
}
AUTH: Table = {
    "status": _at("auth:status", "Show who you are here, and what the token may do."),
    "token": Branch(
        "Your API tokens.",
        {
            "list": _at("auth:list_tokens", "List your API tokens."),
            "revoke": _at("auth:revoke_token", "Revoke a token."),
        },
    ),
}
CONTEXT: Table = {
    "list": _at("context:list_contexts", "List the contexts."),
    "use": _at("context:use", "Use a context from now on."),
    "set": _at("context:set_context", "Make a context, or change one."),
    "current": _at("context:current", "Print the name of the context in use."),
    "delete": _at("context:delete", "Forget a context and its token."),
}
PROJECT: Table = {
    "list": _at("project:list_projects", "List the projects you may see."),
    "view": _at("project:view", "Show a project."),
    "create": _at("project:create", "Create a project."),
    "edit": _at("project:edit", "Change a project."),
    "use": _at("project:use", "Mean this project from now on."),
}
REPO: Table = {
    "list": _at("repo:list_repositories", "List the project's repositories."),
    "view": _at("repo:view", "Show a bound repository."),
    "add": _at("repo:add", "Bind a repository to the project."),
    "enable": _at("repo:enable", "Let labels of a repository start runs again."),
    "disable": _at("repo:disable", "Let nothing of a repository start a run."),
    "rotate-webhook-secret": _at("repo:rotate_webhook_secret", "Make a new secret for the webhook; shown once."),
    "remove": _at("repo:remove", "Unbind a repository; its runs stay."),
}
LABEL: Table = {
    "list": _at("label:list_labels", "List labels, and which are missing or changed."),
    "sync": _at("label:sync", "Create missing labels and restore changed ones."),
}
POLICY: Table = {
    "check": _at("policy:check", "Check a policy file, without a server."),
    "show": _at("policy:show", "Show the policy in force."),
    "matrix": _at("policy:matrix", "Show what may follow each stage, and who approves what."),
    "diff": _at("policy:diff", "Show what a policy file would change."),
    "test": _at("policy:test", "Decide recorded deliveries again by a policy file."),
}
STACK: Table = {
    "validate": _at("stack:validate", "Check a stack, without a server."),
    "render": _at("stack:render", "Show what becomes of it in an environment."),
    "plan": _at("stack:plan", "Show what a deploy would do, and what changes."),
    "explain": _at("stack:explain", "Show where a value comes from."),
    "schema": _at("stack:schema", "Print the JSON Schema, for editors."),
}
CREDENTIAL: Table = {
    "list": _at("credential:list_credentials", "List stored credentials."),
    "set": _at("credential:set_credential", "Store a credential."),
    "check": _at("credential:check", "Ask the forge whether a credential counts."),
    "delete": _at("credential:delete", "Delete a credential."),
}
APPROVAL: Table = {
    "list": _at("approval:list_approvals", "List requests, the newest first."),
    "view": _at("approval:view", "Show a request, and what approving does."),
    "approve": _at("approval:approve", "Approve exactly the action that is shown."),
    "deny": _at("approval:deny", "Refuse it, or ask for more."),
    "renew": _at("approval:renew", "Ask again for what nobody decided in time."),
    "cancel": _at("approval:cancel", "Give a request up."),
}
INBOX: Table = {
    "list": _at("inbox:list_inbox", "List what needs you, the newest first."),
    "answer": _at("inbox:answer", "Answer a question, or choose for a run that waits for budget."),
    "snooze": _at("inbox:snooze", "Put something aside for a time."),
}
WAIT: Table = {
    "list": _at("wait:list_waits", "List what is stuck, the longest first."),
    "retry": _at("wait:retry", "Try again now what waits for a rate limit."),
    "resolve": _at("wait:resolve", "Choose what becomes of a run that waits for budget."),
}
DB: Table = {
    "migrate": _at("operator:migrate", "Bring the database to this program's schema."),
    "status": _at("operator:status", "Print the database's schema and this program's."),
    "check": _at("operator:check", "Say whether the database is at this program's schema."),
}
TREE: Table = {
    "up": _at("up:up", "Start everything on this machine; Ctrl-C stops it."),
    "demo": _at("demo:demo", "From a label to a pull request, on this machine."),
    "open": _at("up:open_console", "Show the console, locally with a one-time sign-in link."),
    "doctor": _at("doctor:doctor", "Check what is needed, and name the remedy."),
    "login": _at("auth:login", "Sign in at a server."),
    "logout": _at("auth:logout", "Revoke the context's token and forget it."),
    "auth": Branch("Who you are on a server.", AUTH),
    "context": Branch("Which servers this client knows.", CONTEXT),
    "project": Branch("Products under delivery.", PROJECT),
    "repo": Branch("Repositories bound to a project.", REPO),
    "run": Branch("Runs: what is going on, and what came of it.", RUN),
    "next": _at("step:next_steps", "What may follow on an issue; take a step."),
    "issue": Branch("Issues on their way.", {"view": _at("issue:view", "Show where an issue is on its way.")}),
    "label": Branch("The labels of a repository.", LABEL),
    "policy": Branch("What labels and stages mean.", POLICY),
    "stack": Branch("The stack file: services.yaml.", STACK),
    "credential": Branch("The credentials the platform holds.", CREDENTIAL),
    "inbox": Branch("What needs you.", INBOX),
    "wait": Branch("What is stuck.", WAIT),
    "approval": Branch("What waits for a person's decision.", APPROVAL),
    "incident": Branch(
        "What should not have happened.",
        {"list": _at("incident:list_incidents", "List incidents, the last seen first.")},
    ),
    "api": _at("api:api", "Send a request to the REST API."),
    "serve": _at("operator:serve", "Run one server process in the foreground."),
    "db": Branch("The database's schema.", DB),
    "completion": _at("completion:completion", "Print the completion script of a shell."),
    "version": _at("version:version", "Print the client's and the server's version."),
    # other programs' habits
    "get": Branch(
        "The same as the lists.",
        {
            "runs": RUN["list"],
            "projects": PROJECT["list"],
            "repos": REPO["list"],
        },
        hidden=True,
    ),
    "describe": Branch(
        "The same as the views.",
        {"run": RUN["view"], "project": PROJECT["view"], "repo": REPO["view"]},
        hidden=True,
    ),
    "logs": _at("run:logs", "The same as `run logs`.", hidden=True),
}

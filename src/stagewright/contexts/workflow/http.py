"""The door for people to policies: the one in force with where each value comes from, a check of a text, the schema."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from stagewright.contexts.identity.api import Caller, Permission
from stagewright.contexts.projects import api as projects
from stagewright.contexts.workflow import store
from stagewright.contexts.workflow.api import (
    Policy,
    PolicyInvalid,
    PolicyProblem,
    builtin_policy,
    effective,
    effective_policy,
    json_schema,
    policy_in_force,
    step_matrix,
)
from stagewright.kit.db import Reader
from stagewright.kit.errors import FieldProblem, Invalid
from stagewright.kit.http import RequestBody
from stagewright.kit.http.routes import PUBLIC, Db, Routes, caller
from stagewright.kit.http.shapes import Id, Instant

POLICY_LIMIT = 256 * 1024
routes = Routes(tag="policy")
schemas = Routes(tag="policy", prefix="")
CallerDep = Annotated[Caller, Depends(caller)]


class RepositoryPolicyView(BaseModel):
    """Which policy a repository has, and what is wrong with a newer, invalid file of it."""

    repository_id: Id
    full_name: str
    hash: str
    commit_sha: str | None
    problem: str | None
    read_at: Instant | None


class MatrixRow(BaseModel):
    """What may follow one kind of run that succeeded, its pull request open: ``target [variant]``, in order."""

    kind: str
    steps: list[str]


class ApprovalLine(BaseModel):
    """One row of the approval matrix; the first that matches decides."""

    id: str
    actions: list[str]
    kinds: list[str]
    roles: list[str]
    env: str
    approval: str
    self_approval: bool


class PolicyMatrix(BaseModel):
    """The tables that follow from a policy: next steps, and whose approval which action needs."""

    next_steps: list[MatrixRow]
    approvals: list[ApprovalLine]

    @classmethod
    def of(cls, policy: Policy) -> "PolicyMatrix":
        """Show the tables of ``policy``."""
        return cls(
            next_steps=[MatrixRow(kind=kind, steps=list(steps)) for kind, steps in step_matrix(policy).items()],
            approvals=[
                ApprovalLine(
                    id=row.id,
                    actions=list(row.action),
                    kinds=list(row.kinds),
                    roles=list(row.roles),
                    env=row.env,
                    approval=row.approval,
                    self_approval=row.self_approval,
                )
                for row in policy.approvals
            ],
        )


class PolicyView(BaseModel):
    """An effective policy: the whole document, per JSON pointer the file its value comes from, and its tables."""

    hash: str
    policy: dict[str, Any]
    sources: dict[str, str]
    matrix: PolicyMatrix


class ProjectPolicyView(PolicyView):
    """The effective policy of one repository of a project; without a repository, the built-in one."""

    repository_id: Id | None
    repositories: list[RepositoryPolicyView]


class PolicyForm(RequestBody):
    """The text of a project's policy file (YAML)."""

    text: str = Field(max_length=POLICY_LIMIT)


class PolicyMistake(BaseModel):
    """One mistake: where it stands and what to change."""

    pointer: str
    line: int | None
    source: str | None
    code: str
    message: str


class PolicyCheck(BaseModel):
    """Whether a text is a valid policy. ``hash`` is that of the policy it would make."""

    valid: bool
    hash: str | None
    errors: list[PolicyMistake]


@routes.get("/policy", Permission.PROJECT_VIEW)
async def get_policy(me: CallerDep) -> PolicyView:
    """Show the policy that holds where no project says otherwise."""
    policy = builtin_policy()
    return PolicyView(**effective(policy), matrix=PolicyMatrix.of(policy))


@routes.get("/projects/{project_id}/policy", Permission.PROJECT_VIEW)
async def get_project_policy(
    project_id: UUID, me: CallerDep, db: Db, repository: UUID | None = None
) -> ProjectPolicyView:
    """Show the effective policy of the project's repository; name it when the project has several."""
    me.admit(project_id, projects.ProjectNotFound(f"there is no project {project_id}"))
    async with db.reading() as reader:
        await projects.get_project(reader, project_id)
        bound = await projects.list_repositories(reader, project_id)
        chosen = _chosen(bound, repository)
        policy = await policy_in_force(reader, chosen.id) if chosen else builtin_policy()
        kept = [await _kept(reader, item) for item in bound]
    return ProjectPolicyView(
        **effective(policy),
        matrix=PolicyMatrix.of(policy),
        repository_id=str(chosen.id) if chosen else None,
        repositories=kept,
    )


def _chosen(bound: list[projects.Repository], wanted: UUID | None) -> projects.Repository | None:
    if wanted is None and len(bound) <= 1:
        return bound[0] if bound else None
    found = next((item for item in bound if item.id == wanted), None)
    if found is not None:
        return found
    if wanted is not None:
        raise projects.RepositoryNotFound(f"there is no repository {wanted}")
    names = ", ".join(f"{item.id} ({item.full_name})" for item in bound[:20])
    problem = FieldProblem("/query/repository", "required", f"the project has several repositories; name one: {names}")
    raise Invalid("name the repository whose policy you want", problems=(problem,))


async def _kept(reader: Reader, repository: projects.Repository) -> RepositoryPolicyView:
    kept = await store.find(reader, repository.id)
    return RepositoryPolicyView(
        repository_id=str(repository.id),
        full_name=repository.full_name,
        hash=kept.hash if kept else builtin_policy().hash,
        commit_sha=kept.commit_sha if kept else None,
        problem=kept.problem if kept else None,
        read_at=kept.read_at.isoformat() if kept else None,
    )


@routes.post("/projects/{project_id}/policy:validate", Permission.PROJECT_VIEW)
async def validate_policy(project_id: UUID, form: PolicyForm, me: CallerDep, db: Db) -> PolicyCheck:
    """Check the text of a policy file as the platform would read it. Nothing is stored."""
    me.admit(project_id, projects.ProjectNotFound(f"there is no project {project_id}"))
    async with db.reading() as reader:
        await projects.get_project(reader, project_id)
    try:
        policy = effective_policy(form.text)
    except PolicyInvalid as error:
        return PolicyCheck(valid=False, hash=None, errors=[_mistake(item) for item in error.problems[:200]])
    return PolicyCheck(valid=True, hash=policy.hash, errors=[])


def _mistake(item: FieldProblem) -> PolicyMistake:
    placed = item if isinstance(item, PolicyProblem) else None
    return PolicyMistake(
        pointer=item.pointer,
        line=placed.line if placed else None,
        source=placed.source if placed else None,
        code=item.code,
        message=item.message,
    )


class SchemaAnswer(JSONResponse):
    """A JSON Schema."""

    media_type = "application/schema+json"


@schemas.get("/schema/v1alpha1/policy.json", PUBLIC, response_class=SchemaAnswer)
async def get_policy_schema() -> SchemaAnswer:
    """Return the JSON Schema of the policy file, for editors."""
    return SchemaAnswer(json_schema())

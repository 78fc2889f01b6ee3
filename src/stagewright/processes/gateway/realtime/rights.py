"""What the person at a socket may see and do, at one access version (access.md §8.4)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from stagewright.contexts.approvals import http as approvals_door
from stagewright.contexts.approvals.model import ApprovalLevel, RequestState
from stagewright.contexts.identity.api import Caller, Permission, PlatformRole, ProjectRole, allows
from stagewright.contexts.identity.http.users import user_actions
from stagewright.contexts.identity.model import UserState
from stagewright.contexts.identity.rules.people import Standing
from stagewright.contexts.incidents import http as incidents_door
from stagewright.contexts.incidents.model import IncidentState
from stagewright.contexts.projects import http as projects_door
from stagewright.contexts.runs.http import shapes as run_shapes
from stagewright.contexts.runs.model import RunStatus, WaitKind
from stagewright.kit.http.shapes import AllowedAction
from stagewright.processes.gateway.realtime.topics import Frame
from stagewright.processes.gateway.settings import setting_actions

Signature = frozenset[Permission]


class Rights:
    """The rights of one caller, kept until something about them changes."""

    def __init__(self, caller: Caller, until: datetime | None = None) -> None:
        self.caller = caller
        self.until = until
        self.visible = caller.projects
        self._only = caller.principal.only_project
        self._roles: dict[UUID | None, ProjectRole] = {
            item.project_id: item.role for item in caller.principal.memberships
        }
        self._signatures: dict[tuple[object, ...], Signature] = {}

    def shows(self, project_id: UUID | None) -> bool:
        """Say whether lists hold what belongs to the project; what belongs to none is the installation's."""
        return self.visible is None or project_id in self.visible

    def may(self, permission: Permission, project_id: UUID | None = None) -> bool:
        """Say whether the caller may, in the project or on the platform."""
        return allows(self.caller.principal, permission, project_id)

    def same(self, other: "Rights") -> bool:
        """Say whether the other rights are equal to these."""
        mine, theirs = self.caller.principal, other.caller.principal
        return (mine.user.role, frozenset(mine.memberships), mine.scopes, mine.only_project) == (
            theirs.user.role,
            frozenset(theirs.memberships),
            theirs.scopes,
            theirs.only_project,
        )

    def signature(self, project_id: UUID | None) -> Signature:
        """Return what the caller may do in the project, or on the platform: one signature, one frame.

        A frame about the caller themself is not shared: some acts on oneself are refused.
        """
        place = (self._roles.get(project_id), project_id == self._only, project_id is None)
        known = self._signatures.get(place)  # projects in which one has the same role do not differ
        if known is None:
            known = self._signatures[place] = frozenset(item for item in Permission if self.may(item, project_id))
        return known


def actions_of(frame: Frame, caller: Caller) -> Sequence[AllowedAction]:
    """Return what the caller may do with what the frame shows: the rules of the REST views."""
    project_id, data = frame.project_id, frame.data
    if frame.shape == "incident" and (state := data.get("state")) in list(IncidentState):
        return incidents_door.incident_actions(project_id, IncidentState(state), caller)
    if frame.shape == "setting" and allows(caller.principal, Permission.SETTINGS_MANAGE):
        return setting_actions(is_default=data.get("is_default") is True)
    if frame.shape == "user" and allows(caller.principal, Permission.USER_MANAGE):
        return _with_person(frame, caller)
    return () if project_id is None else _in_project(frame, project_id, caller)


def _with_person(frame: Frame, caller: Caller) -> Sequence[AllowedAction]:
    role, state = frame.data.get("role"), frame.data.get("state")
    if role not in list(PlatformRole) or state not in list(UserState):
        return ()
    return user_actions(Standing(UUID(frame.key), PlatformRole(role), UserState(state)), caller)


def _in_project(frame: Frame, project_id: UUID, caller: Caller) -> Sequence[AllowedAction]:
    status = frame.data.get("status")
    if frame.shape == "run" and status in list(RunStatus):
        return run_shapes.run_actions(project_id, RunStatus(status), caller)
    if frame.shape == "wait" and (kind := frame.data.get("kind")) in list(WaitKind):
        return [run_shapes.retry_action(WaitKind(kind), str(status), project_id, caller)]
    if frame.shape == "approval":
        return _with_request(frame, project_id, caller)
    if frame.shape == "repository":
        return projects_door.repository_actions(project_id, caller)
    return projects_door.project_actions(project_id, caller) if frame.shape == "project" else ()


def _with_request(frame: Frame, project_id: UUID, caller: Caller) -> Sequence[AllowedAction]:
    level, state = frame.data.get("level"), frame.data.get("state")
    if level not in list(ApprovalLevel) or state not in list(RequestState):
        return ()
    return approvals_door.approval_actions(project_id, ApprovalLevel(level), RequestState(state), caller)

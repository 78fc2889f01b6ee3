"""WF1: one case per row of 7.1."""

from typing import Any

import pytest
from tests.unit.workflow.words import a_sender, a_standing

from stagewright.contexts.workflow.api import NOBODY, guard_sender


def test_a_permitted_person_passes() -> None:
    assert guard_sender(a_sender(), a_standing()) is None


ROWS: list[tuple[dict[str, Any], dict[str, Any], str | None]] = [
    ({"type": "Bot"}, {}, "sender_type_bot_not_permitted"),
    ({"type": "Organization"}, {}, "sender_type_organization_not_permitted"),
    ({"type": None}, {}, "sender_type_unknown_not_permitted"),
    ({"type": "…"}, {}, "sender_type_unknown_not_permitted"),
    ({"type": "uSER"}, {}, None),
    ({"login": None}, {}, "sender_login_missing"),
    ({"login": ""}, {}, "sender_login_missing"),
    ({"user_id": None}, {}, "sender_not_allowed"),
    ({}, {"platform_user": False}, "sender_not_allowed"),
    ({}, {"member": False}, "sender_not_project_member"),
    ({}, {"member": False, "platform_role": "admin"}, None),
    ({}, {"member": False, "platform_role": "owner", "may_start": False}, None),
    ({}, {"project_role": "read", "may_start": False}, "sender_role_read_not_permitted"),
    ({}, {"project_role": "Help Desk", "may_start": False}, "sender_role_help_desk_not_permitted"),
    ({}, {"project_role": None, "may_start": False}, "sender_role_not_permitted"),
    ({}, {"forge_permission": None}, "sender_forge_permission_missing"),
    ({}, {"forge_permission": "read"}, "sender_forge_permission_missing"),
    ({}, {"platform_role": "owner", "forge_permission": "none"}, "sender_forge_permission_missing"),
    ({}, {"forge_permission": "triage"}, None),
    ({}, {"forge_permission": "maintain"}, None),
    ({}, {"forge_permission": "admin"}, None),
]


@pytest.mark.parametrize(("sender", "standing", "reason"), ROWS)
def test_each_row_of_the_sender_guard(sender: dict[str, Any], standing: dict[str, Any], reason: str | None) -> None:
    assert guard_sender(a_sender(**sender), a_standing(**standing)) == reason


def test_the_rows_are_asked_in_order() -> None:
    assert guard_sender(a_sender(type="Bot", login=None), NOBODY) == "sender_type_bot_not_permitted"
    assert guard_sender(a_sender(login=None), NOBODY) == "sender_login_missing"
    assert guard_sender(a_sender(), NOBODY) == "sender_not_allowed"


@pytest.mark.parametrize(
    ("sender", "standing", "reason"),
    [
        ({"type": None, "login": None, "user_id": None}, {"forge_permission": None}, None),
        ({"login": "ann"}, {"forge_permission": "triage"}, None),
        ({"login": "ann"}, {"forge_permission": "read"}, "sender_forge_permission_missing"),
        ({"login": "ann"}, {"forge_permission": None}, "sender_forge_permission_missing"),
        ({"login": None}, {"member": False}, "sender_not_project_member"),
        ({"login": None}, {"project_role": "read", "may_start": False}, "sender_role_read_not_permitted"),
    ],
)
def test_who_is_signed_in_needs_no_account_of_the_forge_but_one_that_there_is_needs_its_permission(
    sender: dict[str, Any], standing: dict[str, Any], reason: str | None
) -> None:
    assert guard_sender(a_sender(**sender), a_standing(**standing, signed_in=True)) == reason

"""What acts on people stop, lose and leave: what a person reads before confirming. Values in, codes out."""

from stagewright.contexts.identity.model import ForgeIdentity, Member, PlatformRole, ProjectRole, User
from stagewright.kit.consequences import Catalogue, Consequences

SAYS = Catalogue(
    {
        "user.account_stays": (),
        "user.role_changes": ("role", "before"),
        "user.sessions_end": ("email",),
        "user.admin_rights_lost": (),
        "user.comes_back": (),
        "user.renamed": ("name",),
        "user.forge_account_pinned": ("login", "number"),
        "user.forge_account_lost": ("login",),
        "user.labels_ignored": (),
        "user.tokens_lost": (),
        "user.can_return": (),
        "user.ownership_lost": ("email",),
        "user.becomes_owner": ("email",),
        "member.role_lost": ("role",),
        "member.keeps_membership": ("email", "role"),
        "member.labels_ignored": (),
        "member.membership_lost": ("email", "role"),
        "member.account_stays": (),
    }
)


def what_change_does(
    user: User, role: PlatformRole | None, *, enable: bool, name: str | None, account: ForgeIdentity | None
) -> Consequences:
    """Say what a change of a user does."""
    stops, lost, survives = [], [], [SAYS("user.account_stays")]
    if role is not None and role is not user.role:
        survives.append(SAYS("user.role_changes", role=role.value, before=user.role.value))
        if role is PlatformRole.MEMBER:
            stops.append(SAYS("user.sessions_end", email=user.email))
            lost.append(SAYS("user.admin_rights_lost"))
    if enable:
        survives.append(SAYS("user.comes_back"))
    if name is not None:
        survives.append(SAYS("user.renamed", name=name))
    if account is not None and account.github_user_id != user.github_user_id:
        survives.append(SAYS("user.forge_account_pinned", login=account.login, number=account.github_user_id))
        if user.github_login is not None:
            lost.append(SAYS("user.forge_account_lost", login=user.github_login))
    return Consequences(stops, lost, survives)


def what_disable_does(user: User) -> Consequences:
    """Say what disabling a user does."""
    return Consequences(
        stops=[SAYS("user.sessions_end", email=user.email), SAYS("user.labels_ignored")],
        lost=[SAYS("user.tokens_lost")],
        survives=[SAYS("user.account_stays"), SAYS("user.can_return")],
    )


def what_transfer_does(owner: User, target: User) -> Consequences:
    """Say what a transfer of ownership does."""
    return Consequences(
        stops=[SAYS("user.sessions_end", email=owner.email)],
        lost=[SAYS("user.ownership_lost", email=owner.email)],
        survives=[SAYS("user.becomes_owner", email=target.email)],
    )


def what_role_change_does(member: Member, role: ProjectRole) -> Consequences:
    """Say what another project role does."""
    return Consequences(
        lost=[SAYS("member.role_lost", role=member.role.value)],
        survives=[SAYS("member.keeps_membership", email=member.email, role=role.value)],
    )


def what_removal_does(member: Member) -> Consequences:
    """Say what the end of a membership does."""
    return Consequences(
        stops=[SAYS("member.labels_ignored")],
        lost=[SAYS("member.membership_lost", email=member.email, role=member.role.value)],
        survives=[SAYS("member.account_stays")],
    )

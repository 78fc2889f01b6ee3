"""Why a request cannot be decided."""

from stagewright.kit.errors import Conflict, Denied, NotFound, Refused


class ApprovalNotFound(NotFound):
    """No such request, or none the caller may see."""

    code = "approval.not_found"


class AlreadyResolved(Conflict):
    """The request is settled; ``state`` of the parameters says how."""

    code = "approval.already_resolved"


class ApprovalExpired(Conflict):
    """The time to decide is over; a person renews the request or cancels it."""

    code = "approval.expired"


class ApprovalNotExpired(Conflict):
    """Only a request whose time is over is renewed."""

    code = "approval.not_expired"


class HashMismatch(Conflict):
    """The decision names another action than the request holds."""

    code = "approval.hash_mismatch"


class SelfApproval(Denied):
    """Who started the run may not decide this."""

    code = "approval.self_approval"


class SoleApprover(Refused):
    """Nobody but the one who started the run may decide: they say that they know it."""

    code = "approval.acknowledge_sole"


class ReasonMissing(Refused):
    """A refusal, and a request for more, say why."""

    code = "approval.reason_required"


class DeniedByPolicy(Refused):
    """The policy in force has no row that lets anybody decide this."""

    code = "approval.denied_by_policy"

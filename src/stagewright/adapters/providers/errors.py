"""What can go wrong on the way to a model provider. No message holds a key, a header or a body."""

from stagewright.kit.errors import Conflict, Unavailable


class ProviderUnreachable(Unavailable):
    """The provider could not be reached, or gave no answer that can be passed on. It may have done the work."""

    code = "provider_unreachable"


class AnswerTooLarge(ProviderUnreachable):
    """The provider's answer is larger than is held in memory."""

    code = "provider_answer_too_large"


class AnswerCut(Unavailable):
    """The provider's answer ended before it was complete, or stood still for too long."""

    code = "provider_answer_cut"


class CredentialMalformed(Conflict):
    """The stored key or base URL cannot be used for any request."""

    code = "agent_not_configured"

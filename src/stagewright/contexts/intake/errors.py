"""Failures of the doors: webhooks, and the next steps that people take with us."""

from stagewright.kit.errors import Conflict, Denied, Invalid, NotFound, Refused, Unauthenticated, Unavailable


class DeliveryInvalid(Invalid):
    """The delivery is malformed: a header is missing or the payload is not what its event promises."""

    code = "webhook.invalid"


class SignatureRefused(Unauthenticated):
    """The signature fits no live secret. An unknown repository answers the same."""

    code = "webhook.signature"


class ThreadNotFound(NotFound):
    """The forge has no such Issue or pull request (any more)."""

    code = "thread.not_found"


class LabelsChanged(Conflict):
    """Somebody changed the labels since the preview: look at the step again."""

    code = "labels_changed"


class StepRefused(Refused):
    """A rule holds the next step back; ``reason`` among the parameters says which."""

    code = "next_step.refused"


class StepDenied(Denied):
    """The person may not take this step; ``reason`` among the parameters says why."""

    code = "next_step.denied"


class ForgeUnreadable(Unavailable):
    """The forge cannot be read now with the repository's stored credential."""

    code = "forge.unreadable"

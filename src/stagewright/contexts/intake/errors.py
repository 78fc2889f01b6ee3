"""Failures of the webhook door."""

from stagewright.kit.errors import Invalid, Unauthenticated


class DeliveryInvalid(Invalid):
    """The delivery is malformed: a header is missing or the payload is not what its event promises."""

    code = "webhook.invalid"


class SignatureRefused(Unauthenticated):
    """The signature fits no live secret. An unknown repository answers the same."""

    code = "webhook.signature"

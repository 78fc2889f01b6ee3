"""Failures of the agents context, each with a stable code."""

from stagewright.kit.errors import Conflict, Invalid, NotFound, TooLarge


class PromptInvalid(Invalid):
    """A value given to the prompt cannot be used."""

    code = "prompt.input_invalid"


class PromptPartMissing(Invalid):
    """A role or stage has no prompt text, neither built in nor in the project."""

    code = "prompt.part_missing"


class OverrideInvalid(Invalid):
    """A file below ``.stagewright/prompts/`` cannot be used; the problems name the places."""

    code = "prompt.override_invalid"


class CatalogueBroken(Invalid):
    """The built-in prompt texts are incomplete or wrong. The program does not start with them."""

    code = "prompt.catalogue_broken"


class PromptNotFound(NotFound):
    """The attempt has no stored prompt, or retention removed it."""

    code = "prompt.not_found"


class ReportInvalid(Invalid):
    """The agent's report breaks its schema or its limits; the problems name the places."""

    code = "report.invalid"


class ReportSchemaUnknown(Invalid):
    """No report schema is known by this id or for this kind of run."""

    code = "report.schema_unknown"


class SessionInvalid(Invalid):
    """A session handed over does not match its own header."""

    code = "session.invalid"


class SessionTooLarge(TooLarge):
    """A session archive or its work-in-progress bundle is over the limit."""

    code = "session.too_large"


class SessionNotFound(NotFound):
    """No such session, or retention removed it."""

    code = "session.not_found"


class SessionDamaged(Conflict):
    """The stored session no longer has the hash it was saved with. The run starts fresh."""

    code = "session.damaged"

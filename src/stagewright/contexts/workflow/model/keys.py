"""Keys of the labels that rules name by themselves; their texts are the policy's (``workflow.md`` section 2)."""

BLOCKED, ABANDONED, SUPERSEDED = "state:blocked", "state:abandoned", "state:superseded"
IN_REVIEW, APPROVED = "state:in-review", "state:approved"
NEED_INPUT, NEED_REVIEWER = "need:input", "need:reviewer"
DISCUSSION, RETHINK = "mode:discussion", "run:rethink"

"""Stage 4, and the typing of stage 7: does the document have the fields of ``stack.md``, each of its type?"""

from stagewright.contexts.deploys.rules.shape.checking import check_shape, typed

__all__ = ["check_shape", "typed"]

"""Images of a plan: what each is made of, and the reference that pins it (``stack.md`` section 7)."""

from stagewright.contexts.deploys.rules.images.planning import ImagePlan, plan_images

__all__ = ["ImagePlan", "plan_images"]

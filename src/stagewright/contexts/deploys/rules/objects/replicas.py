"""Candidates are small: the project says how many copies of a workload they may have."""

from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.model.objects import Unfinished, as_map
from stagewright.contexts.deploys.rules.objects.setting import Setting, report


def check_replicas(item: Unfinished, setting: Setting, found: Findings) -> None:
    """Check ``spec.replicas``, and how far an autoscaler may go."""
    most = setting.project.candidate_replicas
    if not setting.candidate:
        return
    spec = as_map(item.body.get("spec"))
    names = ("minReplicas", "maxReplicas") if item.kind == "HorizontalPodAutoscaler" else ("replicas",)
    for name in names:
        count = spec.get(name)
        if isinstance(count, int) and not isinstance(count, bool) and count > most:
            text = f"is {count}; a candidate may have at most {most} (a project setting). Write a smaller number there"
            report(found, "object_replicas", item, ("spec", name), text)

"""Labels and annotations with the platform's prefix are its own, but for four that authors set (runtime.md 7.5)."""

from collections.abc import Iterator

from stagewright.contexts.deploys.model.diagnostics import Findings, quoted
from stagewright.contexts.deploys.model.objects import Body, Unfinished, as_list, as_map
from stagewright.contexts.deploys.model.places import Path
from stagewright.contexts.deploys.rules.objects.setting import PREFIX, report

AUTHOR_SETTABLE = {
    PREFIX + "job-policy": ("on-change", "every-deploy"),
    PREFIX + "recreate": ("allow",),
    PREFIX + "prune": ("never",),
    PREFIX + "health": ("ignore",),
}


def check_labels(item: Unfinished, found: Findings) -> None:
    """Check the labels and annotations of the object, its pod templates, jobs and volume claims."""
    if item.generated:
        return  # made by the platform, its own annotations among it
    for path, metadata in _metadata(item):
        for name in ("labels", "annotations"):
            for key, value in as_map(metadata.get(name)).items():
                if isinstance(key, str) and key.startswith(PREFIX):
                    _check(item, (*path, name, key), value, found)


def _metadata(item: Unfinished) -> Iterator[tuple[Path, Body]]:
    yield ("metadata",), as_map(item.body.get("metadata"))
    for pod in item.pods:
        yield (*pod.path, "metadata"), pod.metadata
    spec = as_map(item.body.get("spec"))
    if item.kind == "CronJob":
        yield ("spec", "jobTemplate", "metadata"), as_map(as_map(spec.get("jobTemplate")).get("metadata"))
    for place, claim in enumerate(as_list(spec.get("volumeClaimTemplates"))):
        yield ("spec", "volumeClaimTemplates", place, "metadata"), as_map(as_map(claim).get("metadata"))


def _check(item: Unfinished, path: Path, value: object, found: Findings) -> None:
    key = str(path[-1])
    allowed = AUTHOR_SETTABLE.get(key)
    if allowed is None:
        known = ", ".join(sorted(AUTHOR_SETTABLE))
        text = f"has the platform's prefix; remove it (only the annotations {known} may be set)"
    elif path[:-1] != ("metadata", "annotations"):
        text = "works only as an annotation of the object itself; move it to metadata.annotations"
    elif value not in allowed:
        text = f"is {quoted(value)}; use {' or '.join(allowed)}"
    else:
        return
    report(found, "object_reserved_label", item, path, text)

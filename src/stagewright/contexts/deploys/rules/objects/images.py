"""Every container's image comes from ``images.*``, so that a digest pins it (``stack.md`` sections 6.4 and 7)."""

import re
from collections.abc import Iterator

from stagewright.contexts.deploys.model.diagnostics import Findings, quoted
from stagewright.contexts.deploys.model.objects import PodTemplate, Unfinished, as_list, as_map
from stagewright.contexts.deploys.model.places import Path
from stagewright.contexts.deploys.model.tree import Scalar
from stagewright.contexts.deploys.rules.objects.setting import Setting, report

_EXAMPLE = '"{{ images.<name> }}"'
_TEMPLATE = re.compile(r"\{\{.*\bimages\b", re.DOTALL)


def check_images(item: Unfinished, setting: Setting, found: Findings) -> None:
    """Check every container of every sort, and every volume that is an image."""
    for pod in item.pods:
        for path, image in _images(pod):
            if item.generated or _is_pinned(item, path, image, setting):
                continue
            text = f"is {quoted(image)}, which nothing pins; declare it under spec.images and write {_EXAMPLE}"
            report(found, "object_image_unpinned", item, path, text)


def _images(pod: PodTemplate) -> Iterator[tuple[Path, object]]:
    for path, container in pod.containers():
        yield (*path, "image"), container.get("image")
    for place, volume in enumerate(as_list(pod.spec.get("volumes"))):
        image = as_map(volume).get("image")
        if image is not None:
            yield (*pod.path, "spec", "volumes", place, "image", "reference"), as_map(image).get("reference")


def _is_pinned(item: Unfinished, path: Path, image: object, setting: Setting) -> bool:
    if not item.rendered or not isinstance(image, str) or image not in setting.images:
        return False
    node = item.written(path)
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        return True
    return not node.raw and _TEMPLATE.search(node.value) is not None

"""Hooks as Kubernetes Jobs (``stack.md`` section 10.3): no shell, no API rights, the namespace's Pod Security level."""

from collections.abc import Iterable, Mapping

from stagewright.contexts.deploys.model.diagnostics import Findings, quoted
from stagewright.contexts.deploys.model.document.orchestration import Hook, Resources
from stagewright.contexts.deploys.model.objects import Body
from stagewright.contexts.deploys.model.places import At, Path
from stagewright.contexts.deploys.model.plan import PlannedHook
from stagewright.contexts.deploys.model.stages import EffectiveEnvironment
from stagewright.contexts.deploys.rules.canonical import digest
from stagewright.contexts.deploys.rules.durations import canonical_duration, parse_duration
from stagewright.contexts.deploys.rules.normalising import canonical_quantity
from stagewright.contexts.deploys.rules.objects.setting import PREFIX
from stagewright.contexts.deploys.rules.preparing import with_images

ACCOUNT = "stagewright-hook"
_LONGEST_NAME = 52  # the executor adds a hyphen and eight digits


class Hooks:
    """Makes the hooks of one plan. ``references``: image -> its reference; ``labels``: what every object carries."""

    def __init__(
        self,
        environment: EffectiveEnvironment,
        references: Mapping[str, str],
        labels: Mapping[str, str],
        found: Findings,
    ) -> None:
        self._environment = environment
        self._references = references
        self._labels = labels
        self._found = found

    def planned(self, hooks: Iterable[Hook], owner: str, at: At | None, path: Path) -> tuple[PlannedHook, ...]:
        """Return the hooks of ``owner`` (a unit, or "" for the stack) that are switched on, by phase and name."""
        made = [self._planned(hook, owner, at, (*path, hook.name)) for hook in hooks if hook.when is not False]
        return tuple(sorted((hook for hook in made if hook is not None), key=lambda hook: (hook.phase, hook.name)))

    def _planned(self, hook: Hook, owner: str, at: At | None, path: Path) -> PlannedHook | None:
        image = self._references.get(hook.image)
        if image is None:
            self._say_missing(hook, hook.image, at, path)
            return None
        timeout = parse_duration(hook.timeout)
        if timeout is None:  # centuries, which nobody can count
            text = f"a hook may take at most 1h, not {quoted(hook.timeout)}; shorten it, or split the work"
            self._found.add("timeout_range", text, at, path)
            return None
        body = self._body(hook, owner, image, int(timeout.total_seconds()), at, path)
        if body is None:
            return None
        return PlannedHook(
            name=hook.name,
            phase=hook.phase,
            run=hook.run,
            timeout=canonical_duration(timeout),
            retries=hook.retries,
            on_failure=hook.on_failure,
            identity=digest(body),
            body=body,
        )

    def _body(self, hook: Hook, owner: str, image: str, seconds: int, at: At | None, path: Path) -> Body | None:
        """Return the Job with the images that its texts name; None where there is one that the plan does not have."""
        try:
            return self._job(hook, owner, image, seconds)
        except KeyError as error:
            self._say_missing(hook, str(error.args[0]), at, path)
            return None

    def _say_missing(self, hook: Hook, image: str, at: At | None, path: Path) -> None:
        """Say that an image is not there, unless the errors before are why."""
        if not self._found.failed:
            text = f"the hook {quoted(hook.name)} needs the image {quoted(image)}, which this plan does not have; "
            self._found.add("hook_image", text + "declare it under spec.images, or switch the hook off", at, path)

    def _job(self, hook: Hook, owner: str, image: str, seconds: int) -> Body:
        annotations = {PREFIX + "hook": hook.name, PREFIX + "hook-phase": hook.phase}
        if owner:
            annotations[PREFIX + "unit"] = owner
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {
                "name": _name(owner, hook.name),
                "namespace": self._environment.namespace,
                "labels": dict(self._labels),
                "annotations": annotations,
            },
            "spec": {
                "backoffLimit": hook.retries,
                "activeDeadlineSeconds": seconds,
                "template": {"metadata": {"labels": dict(self._labels)}, "spec": self._pod(hook, image)},
            },
        }

    def _pod(self, hook: Hook, image: str) -> Body:
        restricted = self._environment.pod_security == "restricted"
        context: Body = {"seccompProfile": {"type": "RuntimeDefault"}}
        if restricted:
            context["runAsNonRoot"] = True
        return {
            "serviceAccountName": ACCOUNT,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "restartPolicy": "Never",
            "securityContext": context,
            "containers": [self._container(hook, image, restricted=restricted)],
        }

    def _container(self, hook: Hook, image: str, *, restricted: bool) -> Body:
        context: Body = {"allowPrivilegeEscalation": False}
        if restricted:
            context["capabilities"] = {"drop": ["ALL"]}
        container: Body = {
            "name": "hook",
            "image": image,
            "imagePullPolicy": self._environment.image_pull_policy,
            "command": [with_images(text, self._references) for text in hook.command],
            "securityContext": context,
        }
        if hook.args:
            container["args"] = [with_images(text, self._references) for text in hook.args]
        env: list[Body] = [
            {"name": name, "value": with_images(value, self._references)} for name, value in sorted(hook.env.items())
        ]
        env += [
            {"name": name, "valueFrom": {"secretKeyRef": {"name": key.secret, "key": key.key}}}
            for name, key in sorted(hook.secret_env.items())
        ]
        if env:
            container["env"] = env
        if hook.resources is not None:
            container["resources"] = _resources(hook.resources)
        return container


def _name(owner: str, name: str) -> str:
    whole = f"{owner}-{name}" if owner else name
    if len(whole) <= _LONGEST_NAME:
        return whole
    return f"{whole[: _LONGEST_NAME - 9].rstrip('-')}-{digest(whole)[:8]}"


def _resources(resources: Resources) -> Body:
    sides = {"requests": resources.requests, "limits": resources.limits}
    return {
        side: {name: canonical_quantity(value) or str(value) for name, value in amounts.items()}
        for side, amounts in sides.items()
        if amounts
    }

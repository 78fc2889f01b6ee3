"""All rules of objects, asked one after the other."""

from collections.abc import Sequence
from dataclasses import replace

from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.model.objects import Unfinished
from stagewright.contexts.deploys.rules.objects.hosts import check_hosts
from stagewright.contexts.deploys.rules.objects.identity import check_duplicates, check_identity, check_namespace
from stagewright.contexts.deploys.rules.objects.images import check_images
from stagewright.contexts.deploys.rules.objects.kinds import check_kind, is_cluster_kind
from stagewright.contexts.deploys.rules.objects.labels import check_labels
from stagewright.contexts.deploys.rules.objects.plain_secrets import check_plain_secrets
from stagewright.contexts.deploys.rules.objects.pod_security import check_pod_security
from stagewright.contexts.deploys.rules.objects.rbac import GROUP, check_rbac
from stagewright.contexts.deploys.rules.objects.replicas import check_replicas
from stagewright.contexts.deploys.rules.objects.secrets import check_secrets
from stagewright.contexts.deploys.rules.objects.setting import Setting


def check_objects(items: Sequence[Unfinished], setting: Setting, found: Findings) -> frozenset[Unfinished]:
    """Check every object, and all of them together. Return those that say what they are; the others are no objects."""
    roles = frozenset(item.name for item in items if item.kind == "Role" and item.group == GROUP)
    setting = replace(setting, roles=roles)
    known = [item for item in items if check_identity(item, found)]
    check_duplicates(known, found)
    for item in known:
        _check(item, setting, found)
    return frozenset(known)


def _check(item: Unfinished, setting: Setting, found: Findings) -> None:
    check_kind(item, setting, found)
    check_namespace(item, setting, found, cluster_scoped=is_cluster_kind(item.type, setting.project))
    check_labels(item, found)
    check_images(item, setting, found)
    check_secrets(item, setting, found)
    check_pod_security(item, setting, found)
    check_rbac(item, setting, found)
    check_hosts(item, setting, found)
    check_replicas(item, setting, found)
    check_plain_secrets(item, found)

"""Roles stay small and local: no wildcards, no rights over rights, no tokens, secrets only by name."""

from stagewright.contexts.deploys.model.diagnostics import Findings, quoted
from stagewright.contexts.deploys.model.objects import Body, Unfinished, as_list, as_map
from stagewright.contexts.deploys.model.places import Path
from stagewright.contexts.deploys.rules.objects.setting import Setting, report

GROUP = "rbac.authorization.k8s.io"
_RIGHTS = frozenset(("escalate", "bind", "impersonate"))
_CODE = "object_rbac"


def check_rbac(item: Unfinished, setting: Setting, found: Findings) -> None:
    """Check a Role or a RoleBinding."""
    if item.group != GROUP:
        return
    if item.kind == "Role":
        for place, rule in enumerate(as_list(item.body.get("rules"))):
            _check_rule(item, ("rules", place), as_map(rule), setting, found)
    elif item.kind == "RoleBinding":
        _check_binding(item, setting, found)


def _check_rule(item: Unfinished, path: Path, rule: Body, setting: Setting, found: Findings) -> None:
    for name in ("apiGroups", "resources", "verbs", "nonResourceURLs"):
        for place, value in enumerate(as_list(rule.get(name))):
            where = (*path, name, place)
            if isinstance(value, str) and "*" in value:
                report(found, _CODE, item, where, f"is {quoted(value)}; name what is needed instead of a wildcard")
            elif name == "apiGroups" and value == GROUP:
                report(found, _CODE, item, where, "gives rights over rights; remove it")
            elif name == "verbs" and value in _RIGHTS:
                report(found, _CODE, item, where, f"is {quoted(value)}, which gives rights over rights; remove it")
            elif name == "resources" and value == "serviceaccounts/token":
                report(found, _CODE, item, where, "would let the role make tokens of accounts; remove it")
            elif name == "resources" and value == "secrets" and _is_core(rule):
                _check_secrets(item, path, place, rule, setting, found)


def _is_core(rule: Body) -> bool:
    groups = as_list(rule.get("apiGroups"))
    return not groups or "" in groups


def _check_secrets(item: Unfinished, path: Path, place: int, rule: Body, setting: Setting, found: Findings) -> None:
    verbs, names = as_list(rule.get("verbs")), as_list(rule.get("resourceNames"))
    if not names or any(verb != "get" for verb in verbs):
        text = "is 'secrets'; a role may only `get` secrets that resourceNames lists"
        report(found, _CODE, item, (*path, "resources", place), text)
    for index, name in enumerate(names):
        if name not in setting.secrets:
            text = f"is {quoted(name)}, which is no declared secret; declare it under spec.secrets"
            report(found, _CODE, item, (*path, "resourceNames", index), text)


def _check_binding(item: Unfinished, setting: Setting, found: Findings) -> None:
    role = as_map(item.body.get("roleRef"))
    if role.get("kind") != "Role":
        text = f"is {quoted(role.get('kind'))}; bind a Role of the stack, since cluster roles are not checked here"
        report(found, _CODE, item, ("roleRef", "kind"), text)
    elif role.get("name") not in setting.roles:
        text = f"is {quoted(role.get('name'))}, which is no Role of the stack; add the Role to a manifest"
        report(found, _CODE, item, ("roleRef", "name"), text)
    for place, subject in enumerate(as_list(item.body.get("subjects"))):
        _check_subject(item, ("subjects", place), as_map(subject), setting, found)


def _check_subject(item: Unfinished, path: Path, subject: Body, setting: Setting, found: Findings) -> None:
    name, namespace = subject.get("name"), subject.get("namespace")
    if subject.get("kind") != "ServiceAccount":
        text = f"is {quoted(subject.get('kind'))}; only a ServiceAccount of the namespace may be bound"
        report(found, _CODE, item, (*path, "kind"), text)
    elif namespace not in (None, setting.environment.namespace):
        text = f"is {quoted(namespace)}; only accounts of {quoted(setting.environment.namespace)} may be bound"
        report(found, _CODE, item, (*path, "namespace"), text)
    elif isinstance(name, str) and name.startswith("stagewright-"):
        report(found, _CODE, item, (*path, "name"), f"is {quoted(name)}, an account that stays without rights")

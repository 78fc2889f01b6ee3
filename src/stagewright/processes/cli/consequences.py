"""What an act stops, loses and leaves, in words: the server sends codes, English and Russian stand here."""

from collections.abc import Mapping
from typing import Any

WORDS: Mapping[str, tuple[str, str]] = {
    "run.ends": ("{run} ({kind}), which is {status}", "{run} ({kind}), сейчас: {status}"),
    "run.workload_stops": (
        "the workload {workload}, after {count} s to save its session",
        "рабочая нагрузка {workload}: через {count} с, чтобы успеть сохранить сеанс",
    ),
    "run.wait_ends": (
        "what the run waits for; an answer given later counts for nothing",
        "то, чего ждёт запуск; ответ, данный позже, ничего не изменит",
    ),
    "run.changes_lost": (
        "changes that the agent has not handed over; its session is kept for {count} days",
        "изменения, которые агент ещё не передал; его сеанс хранится, дней: {count}",
    ),
    "run.result_lost": (
        "the accepted result, which is not published",
        "принятый результат: он не будет опубликован",
    ),
    "run.history_stays": (
        "logs, prompts, reports and the journal of the run",
        "логи, промпты, отчёты и журнал запуска",
    ),
    "run.pull_request_stays": (
        "the pull request #{number} and its branch {branch}",
        "pull request #{number} и его ветка {branch}",
    ),
    "approval.executes": (
        "{action} is carried out for {name}",
        "будет выполнено: {action}, {name}",
    ),
    "approval.history_stays": (
        "the request, the decision and its author, in the journal",
        "запрос, решение и его автор в журнале",
    ),
    "repository.ends": (
        "labels, comments and pushes of {repository} start nothing any more",
        "метки, комментарии и push в {repository} больше ничего не запускают",
    ),
    "repository.credential_lost": (
        "the stored credential for {purpose}",
        "сохранённые учётные данные для {purpose}",
    ),
    "repository.webhook_secrets_lost": (
        "its webhook secrets: deliveries that still come are refused",
        "секреты его вебхука: доставки, которые ещё придут, будут отклонены",
    ),
    "repository.writes_lost": (
        "what was still to be written there: comments, labels",
        "то, что ещё предстояло туда записать: комментарии, метки",
    ),
    "repository.forge_stays": (
        "everything in {repository}: branches, pull requests, labels, comments, the webhook's entry (delete it there)",
        "всё в {repository}: ветки, pull request, метки, комментарии, запись вебхука (удалите её там)",
    ),
    "repository.runs_stay": (
        "its runs with their logs, results and journal: {count}",
        "его запуски с логами, результатами и журналом: {count}",
    ),
    "repository.starts_again": (
        "labels of {repository} start runs again; one that was set meanwhile is to be set again",
        "метки {repository} снова запускают работу; поставленную за это время метку нужно поставить ещё раз",
    ),
    "repository.starts_nothing": (
        "labels, comments and pushes of {repository} start nothing until it is enabled again",
        "метки, комментарии и push в {repository} ничего не запускают, пока его снова не включат",
    ),
    "repository.runs_go_on": (
        "runs that were started: they go on to their end",
        "уже начатые запуски: они дойдут до конца",
    ),
    "repository.binding_stays": (
        "its binding, credentials and webhook",
        "привязка, учётные данные и вебхук",
    ),
    "credential.users_stop": (
        "what needs the credential for {purpose}, unless another level has one",
        "то, чему нужны учётные данные для {purpose}, если их нет на другом уровне",
    ),
    "credential.value_lost": (
        "the stored credential for {purpose}: its value cannot be shown or restored",
        "сохранённые учётные данные для {purpose}: значение нельзя показать или восстановить",
    ),
    "credential.provider_keeps": (
        "the credential itself at its provider: revoke it there",
        "сами учётные данные у поставщика: отзовите их там",
    ),
    "user.account_stays": (
        "the account, its history and its project roles",
        "учётная запись, её история и роли в проектах",
    ),
    "user.role_changes": ("the role {role} instead of {before}", "роль {role} вместо {before}"),
    "user.sessions_end": ("all sessions of {email}", "все сеансы {email}"),
    "user.admin_rights_lost": (
        "the rights of a platform admin, also of their API tokens",
        "права администратора платформы, в том числе у API-токенов",
    ),
    "user.comes_back": (
        "the person may sign in again; their old tokens stay revoked",
        "человек снова сможет войти; старые токены останутся отозванными",
    ),
    "user.renamed": ("the name {name}", "имя {name}"),
    "user.forge_account_pinned": (
        "the GitHub account {login}, number {number}: its labels count as this person's",
        "учётная запись GitHub {login}, номер {number}: её метки считаются метками этого человека",
    ),
    "user.forge_account_lost": (
        "the GitHub account {login}: its labels are nobody's any more",
        "учётная запись GitHub {login}: её метки больше не относятся ни к кому",
    ),
    "user.labels_ignored": (
        "labels they set start nothing any more",
        "метки, которые ставит этот человек, больше ничего не запускают",
    ),
    "user.tokens_lost": ("all their API tokens", "все API-токены этого человека"),
    "user.can_return": ("an admin can let the person in again", "администратор сможет впустить человека снова"),
    "user.ownership_lost": (
        "the ownership of {email}, who becomes an admin; only the new owner can give it back",
        "владение {email}: останется роль администратора, вернуть владение сможет только новый владелец",
    ),
    "user.becomes_owner": ("everything else; {email} is the owner", "всё остальное; владельцем станет {email}"),
    "member.role_lost": (
        "the rights of the role {role} in the project",
        "права роли {role} в проекте",
    ),
    "member.keeps_membership": (
        "the membership of {email}, with the role {role}",
        "участие {email} в проекте с ролью {role}",
    ),
    "member.labels_ignored": (
        "labels they set in the project start nothing any more, unless the platform's roles permit it",
        "метки этого человека в проекте больше ничего не запускают, если этого не разрешает роль на платформе",
    ),
    "member.membership_lost": (
        "the membership of {email} with the role {role}",
        "участие {email} в проекте с ролью {role}",
    ),
    "member.account_stays": (
        "the person's account, and what they did",
        "учётная запись человека и всё, что он сделал",
    ),
}


def words_of(item: Mapping[str, Any], locale: str) -> str:
    """Return a consequence in words. What a newer server sends and we do not know is shown as it came."""
    code, params = str(item.get("code")), dict(item.get("params") or {})
    known = WORDS.get(code)
    try:
        return known[locale == "ru"].format(**params) if known else _raw(code, params)
    except KeyError:
        return _raw(code, params)


def _raw(code: str, params: Mapping[str, Any]) -> str:
    return " ".join((code, *(f"{name}={value}" for name, value in params.items())))

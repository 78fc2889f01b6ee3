"""What a person reads about a refusal or a next step, in the product's languages.

Templates name their parameters in braces. A parameter is somebody's text: it is shown inside a code span only, on one
line, without back-ticks, so that it can neither mention anybody nor change the comment's form.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from stagewright.contexts.workflow.model.outcomes import LaunchRefusal, NextStep, StepGroup
from stagewright.contexts.workflow.model.policy import Policy
from stagewright.contexts.workflow.model.reasons import SENDER_ROLE_FAMILY, SENDER_TYPE_FAMILY, reason_family
from stagewright.contexts.workflow.rules.matching import label_text
from stagewright.contexts.workflow.rules.naming import locale_of

VALUE_LIMIT = 400


@dataclass(frozen=True, slots=True)
class RefusalText:
    """Why nothing started, and what to do about it: one sentence or two each."""

    reason: str
    remedy: str


_ASK_ADMIN_EN = "Ask an admin of the project to add you, or to set the label."
_ASK_ADMIN_RU = "Попросите администратора проекта добавить вас или поставить метку самому."

EN: Mapping[str, tuple[str, str]] = {
    "issue_trigger_label_conflict": (
        "The issue has more than one trigger label, so it is unclear which stage is meant.",
        "Remove all trigger labels but one, then remove that one and add it again.",
    ),
    "run_already_active": (
        "A run that excludes this one is active: `{run}` (`{kind}`).",
        "Wait until it ends, or cancel it with `stagewright run cancel {run}` or in the console; then set the label again.",
    ),
    "discussion_mode_trigger_label_conflict": (
        "A discussion starts only while the issue has no trigger label and no active run.",
        (
            "Wait until run `{run}` ends, or cancel it with `stagewright run cancel {run}` or in the console. "
            "A trigger label that started nothing is taken off first."
        ),
    ),
    "trigger_label_unknown": (
        "No stage is started by the label `{label}`.",
        "Use one of the suggested labels.",
    ),
    "stage_disabled": (
        "The stage of the label `{label}` is switched off in this project's policy.",
        "Use one of the enabled stages below, or ask an admin of the project to switch it on.",
    ),
    SENDER_TYPE_FAMILY: (
        "The label was not set by a person's account, and only people start runs.",
        _ASK_ADMIN_EN,
    ),
    "sender_login_missing": ("The forge did not say who set the label.", _ASK_ADMIN_EN),
    "sender_not_allowed": ("`{sender}` has no active account on this platform.", _ASK_ADMIN_EN),
    "sender_not_project_member": ("`{sender}` is not a member of this project.", _ASK_ADMIN_EN),
    "sender_role_not_permitted": ("`{sender}` has no role in this project that may start runs.", _ASK_ADMIN_EN),
    SENDER_ROLE_FAMILY: ("The project role `{role}` of `{sender}` may not start runs.", _ASK_ADMIN_EN),
    "sender_forge_permission_missing": (
        "`{sender}` needs at least the permission `triage` on this repository.",
        "Ask an admin of the repository for it, or ask an admin of the project to set the label.",
    ),
    "repository_not_bound_for_issue_label": (
        "This repository is not registered on the platform.",
        "Register it with `stagewright repo add`, then set the label again.",
    ),
    "issue_closed": (
        "The issue is closed.",
        "Reopen it and set the label again, or use the suggested label to decide anew.",
    ),
    "issue_abandoned": (
        "The issue is marked as abandoned (`{label}`).",
        "Remove that label and reopen the issue, or use the suggested label to decide anew.",
    ),
    "issue_superseded": (
        "The issue or its pull request is marked as superseded (`{label}`).",
        "Remove that label and reopen the issue, or use the suggested label to decide anew.",
    ),
    "issue_blocked": (
        "The work is marked as blocked (`{label}`).",
        "Whoever set `{label}` clears the way and removes it; then set the trigger label again.",
    ),
    "issue_needs_input": (
        "A person asked for input (`{label}`), and it has not come yet.",
        "Give the answer in the issue, remove `{label}`, then set the trigger label again.",
    ),
    "role_input_required": (
        "Input of another role is asked for: `{label}`.",
        "The role named there ({roles_en}) answers and removes `{label}`; then set the trigger label again.",
    ),
    "previous_stage_in_review": (
        "The result of the previous stage is still in review ({pull_request}).",
        "Approve, merge or close pull request {pull_request}, then set the label again.",
    ),
    "stage_prerequisite_missing": (
        "Earlier stages of the issue's profile have not succeeded yet: `{stages}`.",
        "Run the missing stages first.",
    ),
    "stage_pull_request_open": (
        "Pull request {pull_request} of this stage is open.",
        "Use the suggested label to revise it, or close pull request {pull_request} to start anew.",
    ),
    "revise_target_not_found": (
        "There is no open pull request of this stage to revise.",
        "Use the suggested label to start the stage anew.",
    ),
    "pull_request_from_fork": (
        "The branch of pull request {pull_request} is in another repository, where the platform cannot push.",
        "Move the branch into this repository and open the pull request from there.",
    ),
    "reviewer_target_not_found": (
        "There is no open pull request to review.",
        "Reopen the pull request and set the label again.",
    ),
    "issue_trigger_candidate_not_found": (
        "This stage examines a candidate, and the issue has no open pull request with code.",
        "Make one with a suggested label first.",
    ),
    "pull_request_review_stage_ambiguous": (
        "It is unclear which stage the review is about.",
        "Keep a single stage label on the pull request, or set a suggested label on the issue.",
    ),
    "pull_request_review_stage_not_resolved": (
        "No stage was found that the review could be about.",
        "Put one stage label on the pull request, or set a suggested label on the issue.",
    ),
    "environment_not_declared": (
        "This stage needs an environment (`{env}`), and the project declares none.",
        "Declare it in `services.yaml` on the default branch.",
    ),
    "agent_not_configured": (
        "The engine `{engine}` of the model `{model}` is switched off or has no credential.",
        "Ask an admin of the project to configure the engine's credential, or choose another model.",
    ),
    "mode_not_allowed": (
        "`services.yaml` asks for the mode `{mode}`, which the policy does not allow for this stage.",
        "Use one of: `{allowed}`.",
    ),
    "stack_invalid": (
        "`services.yaml` of the default branch is not valid (`{problem}`).",
        "Correct it; `stagewright stack validate` names each line.",
    ),
    "model_label_conflict": (
        "Two labels of one group contradict each other on {where}: `{labels}`.",
        "Keep one model label and one reasoning label.",
    ),
    "model_unknown": (
        "A label on {where} names a model or a level that the policy does not know: `{labels}`.",
        "Use one of: `{known}`.",
    ),
}

RU: Mapping[str, tuple[str, str]] = {
    "issue_trigger_label_conflict": (
        "На задаче больше одной запускающей метки: непонятно, какая стадия имеется в виду.",
        "Снимите все запускающие метки, кроме одной, затем снимите и её и поставьте снова.",
    ),
    "run_already_active": (
        "Уже идёт запуск, который исключает этот: `{run}` (`{kind}`).",
        "Дождитесь его окончания или отмените: `stagewright run cancel {run}` или в консоли; потом поставьте метку снова.",
    ),
    "discussion_mode_trigger_label_conflict": (
        "Обсуждение начинается, только пока на задаче нет запускающей метки и нет активного запуска.",
        (
            "Дождитесь окончания запуска `{run}` или отмените его командой `stagewright run cancel {run}` или в консоли. "
            "Запускающую метку, которая ничего не запустила, сначала снимите."
        ),
    ),
    "trigger_label_unknown": (
        "Метка `{label}` не запускает ни одной стадии.",
        "Возьмите одну из предложенных меток.",
    ),
    "stage_disabled": (
        "Стадия метки `{label}` выключена в политике этого проекта.",
        "Возьмите одну из включённых стадий ниже или попросите администратора проекта включить её.",
    ),
    SENDER_TYPE_FAMILY: (
        "Метку поставила не учётная запись человека, а запускать могут только люди.",
        _ASK_ADMIN_RU,
    ),
    "sender_login_missing": ("Не сообщено, кто поставил метку.", _ASK_ADMIN_RU),
    "sender_not_allowed": ("У `{sender}` нет активной учётной записи на этой платформе.", _ASK_ADMIN_RU),
    "sender_not_project_member": ("`{sender}` не входит в этот проект.", _ASK_ADMIN_RU),
    "sender_role_not_permitted": ("У `{sender}` нет в проекте роли с правом запуска.", _ASK_ADMIN_RU),
    SENDER_ROLE_FAMILY: ("Роль `{role}` у `{sender}` в проекте не даёт права запуска.", _ASK_ADMIN_RU),
    "sender_forge_permission_missing": (
        "У `{sender}` должно быть право не ниже `triage` в этом репозитории.",
        "Попросите его у администратора репозитория или попросите администратора проекта поставить метку.",
    ),
    "repository_not_bound_for_issue_label": (
        "Этот репозиторий не зарегистрирован на платформе.",
        "Зарегистрируйте его командой `stagewright repo add` и поставьте метку снова.",
    ),
    "issue_closed": (
        "Задача закрыта.",
        "Откройте её и поставьте метку снова или возьмите предложенную метку, чтобы пересмотреть решение.",
    ),
    "issue_abandoned": (
        "Задача отмечена как оставленная (`{label}`).",
        "Снимите эту метку и откройте задачу или возьмите предложенную метку, чтобы пересмотреть решение.",
    ),
    "issue_superseded": (
        "Задача или её запрос на слияние отмечены как заменённые (`{label}`).",
        "Снимите эту метку и откройте задачу или возьмите предложенную метку, чтобы пересмотреть решение.",
    ),
    "issue_blocked": (
        "Работа отмечена как заблокированная (`{label}`).",
        "Тот, кто поставил `{label}`, устраняет препятствие и снимает её; затем поставьте запускающую метку снова.",
    ),
    "issue_needs_input": (
        "Человек попросил уточнений (`{label}`), и ответа ещё нет.",
        "Ответьте в задаче, снимите `{label}` и поставьте запускающую метку снова.",
    ),
    "role_input_required": (
        "Ожидается ответ другой роли: `{label}`.",
        "Названная роль ({roles_ru}) отвечает и снимает `{label}`; затем поставьте запускающую метку снова.",
    ),
    "previous_stage_in_review": (
        "Результат предыдущей стадии ещё на проверке ({pull_request}).",
        "Одобрите, слейте или закройте запрос {pull_request}, затем поставьте метку снова.",
    ),
    "stage_prerequisite_missing": (
        "Более ранние стадии профиля задачи ещё не пройдены: `{stages}`.",
        "Сначала пройдите недостающие стадии.",
    ),
    "stage_pull_request_open": (
        "Запрос на слияние {pull_request} этой стадии открыт.",
        "Возьмите предложенную метку, чтобы доработать его, или закройте запрос {pull_request}, чтобы начать заново.",
    ),
    "revise_target_not_found": (
        "Нет открытого запроса на слияние этой стадии, который можно доработать.",
        "Возьмите предложенную метку, чтобы начать стадию заново.",
    ),
    "pull_request_from_fork": (
        "Ветка запроса {pull_request} находится в другом репозитории, куда платформа не может отправлять изменения.",
        "Перенесите ветку в этот репозиторий и откройте запрос на слияние оттуда.",
    ),
    "reviewer_target_not_found": (
        "Нет открытого запроса на слияние для ревью.",
        "Откройте запрос снова и поставьте метку ещё раз.",
    ),
    "issue_trigger_candidate_not_found": (
        "Эта стадия проверяет кандидата, а у задачи нет открытого запроса на слияние с кодом.",
        "Сначала создайте его предложенной меткой.",
    ),
    "pull_request_review_stage_ambiguous": (
        "Непонятно, к какой стадии относится ревью.",
        "Оставьте на запросе одну метку стадии или поставьте предложенную метку на задачу.",
    ),
    "pull_request_review_stage_not_resolved": (
        "Не найдена стадия, к которой могло бы относиться ревью.",
        "Поставьте одну метку стадии на запрос или предложенную метку на задачу.",
    ),
    "environment_not_declared": (
        "Этой стадии нужно окружение (`{env}`), а проект его не описывает.",
        "Опишите его в `services.yaml` в ветке по умолчанию.",
    ),
    "agent_not_configured": (
        "Движок `{engine}` модели `{model}` выключен или не имеет учётных данных.",
        "Попросите администратора проекта настроить учётные данные движка или выберите другую модель.",
    ),
    "mode_not_allowed": (
        "`services.yaml` требует режим `{mode}`, который политика не разрешает для этой стадии.",
        "Возьмите один из: `{allowed}`.",
    ),
    "stack_invalid": (
        "Файл `services.yaml` в ветке по умолчанию содержит ошибки (`{problem}`).",
        "Исправьте его; `stagewright stack validate` называет каждую строку.",
    ),
    "model_label_conflict": (
        "Две метки одной группы противоречат друг другу {where}: `{labels}`.",
        "Оставьте одну метку модели и одну метку уровня рассуждений.",
    ),
    "model_unknown": (
        "Метка {where} называет модель или уровень, которых нет в политике: `{labels}`.",
        "Возьмите одну из: `{known}`.",
    ),
}

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "retry": "Try again",
        "revise": "Revise this result",
        "forward": "Go on",
        "jump": "Go straight to",
        "reviewer": "Ask for an agent's review",
        "side": "Besides",
        "escalation": "Accept the longer path",
        "recommended": "recommended",
        "full_flow": "full path",
        "shortened_flow": "shortened path",
        "very_short_flow": "very short path",
        "all_flows": "every path",
        "or": "or",
        "issue": "the issue",
        "pull_request": "the pull request",
    },
    "ru": {
        "retry": "Повторить",
        "revise": "Доработать этот результат",
        "forward": "Продолжить",
        "jump": "Перейти сразу к",
        "reviewer": "Запросить ревью агента",
        "side": "Кроме того",
        "escalation": "Принять более длинный путь",
        "recommended": "рекомендуется",
        "full_flow": "полный путь",
        "shortened_flow": "сокращённый путь",
        "very_short_flow": "очень короткий путь",
        "all_flows": "любой путь",
        "or": "или",
        "issue": "на задаче",
        "pull_request": "на запросе на слияние",
    },
}
_CATALOGUES: Mapping[str, Mapping[str, tuple[str, str]]] = {"en": EN, "ru": RU}


def knows_reason(reason: str) -> bool:
    """Say whether ``reason`` has sentences of its own."""
    return reason_family(reason) in EN


def refusal_text(reason: str, locale: str | None, params: Mapping[str, str] | None = None) -> RefusalText:
    """Return the sentences for ``reason``. Parameters a template names and ``params`` lacks are shown as ``?``."""
    why, remedy = _CATALOGUES[locale_of(locale)][reason_family(reason)]
    values = _Values({key: safe_value(value) for key, value in (params or {}).items()})
    return RefusalText(why.format_map(values), remedy.format_map(values))


def launch_text(refusal: LaunchRefusal, locale: str | None) -> RefusalText:
    """Return the sentences for a launch that labels prevent: which labels, and on which thread."""
    where = word(refusal.scope, locale) if refusal.scope is not None else ""
    return refusal_text(refusal.code, locale, {**refusal.params, "labels": ", ".join(refusal.labels), "where": where})


def word(key: str, locale: str | None) -> str:
    """Return one of the smaller texts: a group of next steps, a variant, a kind of thread."""
    return WORDS[locale_of(locale)][key]


def step_text(step: NextStep, locale: str | None, policy: Policy) -> str:
    """Return how a next step is shown: what it does, its label's text, and the path where that matters."""
    label = safe_value(label_text(step.target, policy))
    shown = f"{word(step.group.value, locale)}: `{label}`"
    variant = step.variant if step.group is StepGroup.FORWARD else policy.profiles.variants.get(step.profile or "")
    details = [variant_text(variant, locale)] if variant else []
    if step.recommended:
        details.append(word("recommended", locale))
    return f"{shown} ({', '.join(details)})" if details else shown


def variant_text(variant: str, locale: str | None) -> str:
    """Return the words for a variant of the built-in profiles; a project's own variant is shown as it is written."""
    words = WORDS[locale_of(locale)]
    if variant in words:
        return words[variant]
    names = [f"{stem}_flow" for stem in variant.removesuffix("_flow").split("_or_")]
    return f" {words['or']} ".join(words.get(name, name.removesuffix("_flow")) for name in names)


def safe_value(text: str) -> str:
    """Return ``text`` fit for a code span: one line, no back-ticks or control characters, at most 400 characters."""
    kept = "".join(char for char in " ".join(str(text).split()) if char.isprintable() and char != "`")
    return kept[: VALUE_LIMIT - 1] + "…" if len(kept) > VALUE_LIMIT else kept


class _Values(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "?"

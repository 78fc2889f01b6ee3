"""Why a next step does not go ahead, in the product's languages: the trigger's own reasons, and those of steps only."""

from collections.abc import Mapping

from stagewright.contexts.workflow.model.reasons import StepReason
from stagewright.contexts.workflow.rules.naming import locale_of
from stagewright.contexts.workflow.rules.texts import RefusalText, knows_reason, refusal_text, safe_value

EN: Mapping[str, tuple[str, str]] = {
    StepReason.PROFILE_DOWNGRADE: (
        "The issue is on a longer path, and a path gets shorter only after a rethink.",
        "Take a step of the path `{profile}` or a longer one, or start `{rethink}` first.",
    ),
    StepReason.REPOSITORY_DISABLED: (
        "The repository is switched off: nothing starts for it.",
        "Ask an admin of the project to switch it on.",
    ),
    StepReason.NOT_STARTED: (
        "Nothing would start: `{reason}`.",
        "Look at the issue's labels and try again.",
    ),
}
RU: Mapping[str, tuple[str, str]] = {
    StepReason.PROFILE_DOWNGRADE: (
        "Задача идёт по более длинному пути, а короче он становится только после пересмотра.",
        "Выберите шаг пути `{profile}` или более длинного либо сначала запустите `{rethink}`.",
    ),
    StepReason.REPOSITORY_DISABLED: (
        "Репозиторий отключён: для него ничего не запускается.",
        "Попросите администратора проекта включить его.",
    ),
    StepReason.NOT_STARTED: (
        "Ничего не запустилось бы: `{reason}`.",
        "Посмотрите на метки задачи и попробуйте снова.",
    ),
}


def step_refusal_text(reason: str, locale: str | None, params: Mapping[str, str] | None = None) -> RefusalText:
    """Return the sentences for ``reason``; one without words of its own is named."""
    if knows_reason(reason):
        return refusal_text(reason, locale, params)
    catalogue = RU if locale_of(locale) == "ru" else EN
    why, remedy = catalogue.get(reason, catalogue[StepReason.NOT_STARTED])
    values = {"reason": reason, "profile": "?", "rethink": "?", **(params or {})}
    shown = {key: safe_value(value) for key, value in values.items()}
    return RefusalText(why.format_map(shown), remedy.format_map(shown))

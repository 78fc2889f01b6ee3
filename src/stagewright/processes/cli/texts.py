"""What the program says to a person, in Russian: by the English text. JSON, names and codes are never translated."""

from collections.abc import Mapping

RU: Mapping[str, str] = {
    "stops": "остановится",
    "is lost": "будет потеряно",
    "stays": "останется",
    "cancelling {name}:": "отмена {name}:",
    "unbinding {name}:": "отвязка {name}:",
    "enabling {name}:": "включение {name}:",
    "disabling {name}:": "отключение {name}:",
    "deleting the credential {name}:": "удаление учётных данных {name}:",
    "approving {name}:": "одобрение {name}:",
    "nobody else may decide this: you decide on your own run, and the journal keeps that": (
        "решить это больше некому: вы решаете по собственному запуску, и журнал это сохранит"
    ),
    "Go on?": "Продолжить?",
    "Try again now?": "Повторить сейчас?",
    "Reason, kept in the journal (empty: none)": "Причина, останется в журнале (пусто: без причины)",
    "Type {name} to confirm": "Для подтверждения введите {name}",
    "this changed since the preview; now it is:": "с прошлого показа это изменилось; теперь:",
    "nothing was applied": "ничего не применено",
    "no run has ended here yet": "здесь ещё не завершался ни один запуск",
    "after {number} ({kind}, {status})": "после {number} ({kind}, {status})",
    "active now: {number} ({kind}, {status})": "сейчас идёт: {number} ({kind}, {status})",
    "starts": "запустится",
    "skips": "пропускает",
    "path": "путь",
    "accepts": "принимает",
    "yes": "да",
    "no": "нет",
    "{length} ago": "{length} назад",
    "in {length}": "через {length}",
    "d": " д",
    "h": " ч",
    "m": " мин",
    "s": " с",
    "queued": "в очереди",
    "preparing": "готовится",
    "running": "выполняется",
    "waiting": "ждёт",
    "finishing": "завершается",
    "cancelling": "отменяется",
    "succeeded": "успешно",
    "failed": "не удалось",
    "cancelled": "отменён",
}


def said(text: str, locale: str) -> str:
    """Return ``text`` in the person's language; what has no translation stays English."""
    return RU.get(text, text) if locale == "ru" else text

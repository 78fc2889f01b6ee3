"""Names of the built-in roles in the languages of the product."""

from collections.abc import Mapping
from types import MappingProxyType

ROLE_NAMES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "pm": {"en": "Product manager", "ru": "Менеджер продукта"},
        "sa": {"en": "Solution architect", "ru": "Архитектор решений"},
        "em": {"en": "Engineering manager", "ru": "Руководитель разработки"},
        "sre": {"en": "Reliability engineer", "ru": "Инженер по надёжности"},
        "km": {"en": "Knowledge manager", "ru": "Менеджер знаний"},
        "dev": {"en": "Developer", "ru": "Разработчик"},
        "reviewer": {"en": "Reviewer", "ru": "Рецензент"},
        "qa": {"en": "Quality engineer", "ru": "Инженер по качеству"},
    }
)


def role_name(role: str, locale: str) -> str:
    """Return the role's name in ``locale``, else in English, else its key."""
    names = ROLE_NAMES.get(role, {})
    return names.get(locale) or names.get("en") or role

"""The admin tool: ``flask --app wsgi models ...`` and ``flask --app wsgi keys ...``."""

from app.commands.keys import keys_group
from app.commands.models import models_group

__all__ = ["keys_group", "models_group"]

"""The admin tool: ``flask --app wsgi models ...`` and ``flask --app wsgi keys ...``."""

from app.commands import api_keys, upkeep, verifying
from app.commands.keys import keys_group
from app.commands.models import models_group

# The modules are imported for the commands that they add to the groups.
__all__ = ["api_keys", "keys_group", "models_group", "upkeep", "verifying"]

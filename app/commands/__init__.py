"""The admin tool: ``flask --app wsgi models ...``, ``keys ...`` and ``predictions ...``."""

from app.commands import api_keys, upkeep, verifying
from app.commands.certs import certs_group
from app.commands.group import is_command
from app.commands.keys import keys_group
from app.commands.models import models_group
from app.commands.predictions import predictions_group

# The modules are imported for the commands that they add to the groups.
__all__ = [
    "api_keys",
    "certs_group",
    "is_command",
    "keys_group",
    "models_group",
    "predictions_group",
    "upkeep",
    "verifying",
]

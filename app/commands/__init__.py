"""The admin tool: ``flask --app wsgi models ...`` and ``flask --app wsgi keys ...``."""

from app.commands import upkeep, verifying
from app.commands.certs import certs_group
from app.commands.keys import keys_group
from app.commands.models import models_group

# The first two are imported for the commands that they add to the group of models.
__all__ = ["certs_group", "keys_group", "models_group", "upkeep", "verifying"]

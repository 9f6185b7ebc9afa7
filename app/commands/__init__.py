"""The admin tool: ``flask --app wsgi models ...``, ``keys ...`` and ``predictions ...``."""

from app.commands import upkeep, verifying
from app.commands.keys import keys_group
from app.commands.models import models_group
from app.commands.predictions import predictions_group

# The first two are imported for the commands that they add to the group of models.
__all__ = ["keys_group", "models_group", "predictions_group", "upkeep", "verifying"]

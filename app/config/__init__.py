"""All settings, read once from a mapping of environment variables."""

from app.config.setting import Setting
from app.config.table import SETTINGS
from app.config.values import Config

__all__ = ["SETTINGS", "Config", "Setting"]

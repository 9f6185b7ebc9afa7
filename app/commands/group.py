"""What the groups of commands have in common."""

from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup, ScriptInfo

from app.config import Config
from app.errors import OrdinateError
from app.http.service import EXTENSION, Service
from app.terminal import escaped


class Group(AppGroup):
    """A group whose commands end with one line where something is wrong."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; our errors become its one line."""
        try:
            return super().invoke(ctx)
        except OrdinateError as error:
            raise click.ClickException(escaped(error.message)) from error


def is_command() -> bool:
    """Whether the flask command runs in this process, and not to serve: `flask run` is a server."""
    context = click.get_current_context(silent=True)
    if context is None or context.find_object(ScriptInfo) is None:
        return False
    return context.info_name != "run"


def config() -> Config:
    """The settings of the application that the command was started for."""
    served: Service = current_app.extensions[EXTENSION]
    return served.config

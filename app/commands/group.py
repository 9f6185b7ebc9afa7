"""What the groups of commands have in common."""

from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup

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


def config() -> Config:
    """The settings of the application that the command was started for."""
    served: Service = current_app.extensions[EXTENSION]
    return served.config

"""Ordinate: POST x, it answers y."""

from flask import Flask

from app.commands import certs_group, keys_group, models_group, predictions_group
from app.config import Config
from app.http import admin, errors, gate, models, openapi, operations, page, predict
from app.http.fast import FastPath
from app.http.routes import Routes
from app.http.service import EXTENSION, Service


def create_app(config: Config, *, load: bool = True) -> Flask:
    """Wire the application together.

    Args:
        config: the settings.
        load: whether to load the models now, and to keep predictions where the settings say so. A
            command does neither.
    """
    app = Flask(__name__, static_folder=None)
    app.url_map.strict_slashes = False
    app.extensions[EXTENSION] = served = Service.create(config, serves=load)

    gate.init_app(app)
    errors.init_app(app)
    for room in (predict, models, operations, openapi, page):
        app.register_blueprint(room.blueprint)
    if config.auth:  # without keys there is no administrator to tell from others
        app.register_blueprint(admin.blueprint)
    app.cli.add_command(models_group)
    app.cli.add_command(keys_group)
    app.cli.add_command(predictions_group)
    app.cli.add_command(certs_group)
    routes = Routes(app.url_map, served.registry)
    app.wsgi_app = FastPath(app.wsgi_app, served, routes)  # type: ignore[method-assign]

    if load:
        if served.journal is not None:
            served.journal.check()
        served.registry.refresh()
    return app

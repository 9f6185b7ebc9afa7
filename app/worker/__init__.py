"""The gunicorn worker class: whole requests in, the WSGI application called, deadlines held."""

from app.worker.process import Worker

__all__ = ["Worker"]

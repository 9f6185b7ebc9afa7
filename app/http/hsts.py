"""HTTP Strict Transport Security: browsers are told to come back by TLS alone."""

from app.errors import Headers


def strict_transport(seconds: int, scheme: str) -> Headers:
    """The header for answers over this scheme; none where it would not be believed anyway."""
    if not seconds or scheme != "https":
        return ()
    return (("Strict-Transport-Security", f"max-age={seconds}"),)

"""The one list of all settings: it drives reading, the README's table and the tests."""

from app.casts import all_or_some, host, integer, model, one_of, optional, path, share, switch
from app.config.setting import Setting
from app.cores import usable_cores


def _workers(text: str) -> int:
    return usable_cores() if text == "auto" else integer(1, 512)(text)


# fmt: off
SETTINGS: tuple[Setting, ...] = (
    Setting("ORDINATE_MODELS", "models", "models", path, "a folder",
            "Folder of the published models."),
    Setting("ORDINATE_MODEL", "model", "", optional(model),
            "a model's name: a-z, 0-9, _ and -, at most 63, starting with a letter or digit; "
            "not 'default', which is a file's",
            "Model that answers at /predict; without it, the one named in the file `default` "
            "of the models folder."),
    Setting("ORDINATE_MAX_BODY_BYTES", "max_body_bytes", "8388608", integer(1024, 1 << 40),
            "a number of bytes from 1024",
            "Largest request body, in bytes after decompression; a larger one is answered 413."),
    Setting("ORDINATE_MAX_ROWS", "max_rows", "100000", integer(1, 10**9),
            "a number of rows from 1 to 1000000000",
            "Most rows in one request; more are answered 413."),
    Setting("HOST", "host", "127.0.0.1", host, "an IP address or a host name",
            "Address to listen on; 0.0.0.0 is every IPv4 interface."),
    Setting("PORT", "port", "8000", integer(0, 65535),
            "a port from 0 to 65535, where 0 is any free one",
            "TCP port to listen on."),
    Setting("ORDINATE_WORKERS", "workers", "auto", _workers, "auto or an integer from 1 to 512",
            "Worker processes; auto is one for each core this process may use."),
    Setting("ORDINATE_THREADS", "threads", "8", integer(1, 1024), "an integer from 1 to 1024",
            "Long requests that one worker handles at a time; brief ones need no thread."),
    Setting("ORDINATE_TIMEOUT", "timeout", "30", integer(1, 86400),
            "whole seconds from 1 to 86400",
            "Seconds without a sign of life after which a worker is replaced."),
    Setting("ORDINATE_GRACE", "grace", "8", integer(1, 86400), "whole seconds from 1 to 86400",
            "Seconds that requests in flight get to finish when the service is told to stop."),
    Setting("ORDINATE_KEEPALIVE", "keepalive", "75", integer(0, 86400),
            "whole seconds from 0 to 86400, where 0 closes after each answer",
            "Seconds that an idle connection is kept open for the next request."),
    Setting("ORDINATE_REQUEST_TIMEOUT", "request_timeout", "30", integer(1, 86400),
            "whole seconds from 1 to 86400",
            "Seconds in which a whole request must arrive, and its answer be taken."),
    Setting("ORDINATE_REFRESH", "refresh", "1", integer(0, 86400),
            "whole seconds from 0 to 86400, where 0 is never",
            "Seconds between looks at the models folder for what was published since."),
    Setting("ORDINATE_RUNTIME", "runtime", "auto", one_of("auto", "pickle"), "auto or pickle",
            "auto serves a linear model by the numbers in its manifest; pickle never does."),
    Setting("ORDINATE_CANARY", "canary", "", optional(share),
            "NAME:PERCENT, such as diabetes:5, with a percentage from 0 to 100",
            "NAME:PERCENT gives that share of the requests that name no version of this model to "
            "the one labelled `canary`."),
    Setting("ORDINATE_KEEP_VERSIONS", "keep_versions", "all", all_or_some,
            "all or an integer from 1 to 1000000",
            "How many of a model's newest versions are kept when one is published, beside those in "
            "use."),
    Setting("ORDINATE_LOG_LEVEL", "log_level", "info", one_of("debug", "info", "warning", "error"),
            "debug, info, warning or error",
            "Least level of the events that are logged to stderr."),
    Setting("ORDINATE_ACCESS_LOG", "access_log", "on", switch, "on or off",
            "Whether each request is logged to stdout, as one line of JSON."),
    Setting("ORDINATE_REQUIRE_SIGNATURE", "require_signature", "off", switch, "on or off",
            "Whether only what a trusted key has signed is loaded; see docs/signatures.md."),
    Setting("ORDINATE_TRUSTED_KEYS", "trusted_keys", "", optional(path), "a file or a folder",
            "File with public keys, or folder of such files ending with `.pub`."),
    Setting("ORDINATE_SIGNING_KEY", "signing_key", "", optional(path), "a file",
            "File of the private key by which train.py and the admin tool sign."),
    Setting("ORDINATE_STATE", "state", "", optional(path), "a folder",
            "Folder in which a service remembers what it accepted, so that no restart undoes it."),
    Setting("ORDINATE_MAX_MODEL_BYTES", "max_model_bytes", "4294967296", integer(1024, 1 << 40),
            "a number of bytes from 1024",
            "Largest file of a model, as it is on disk and after decompression."),
    Setting("ORDINATE_QUEUE", "queue", "256", integer(0, 10**6), "an integer from 0 to 1000000",
            "Long requests of one worker that may wait for a thread; more are answered 503 at "
            "once."),
    Setting("ORDINATE_QUEUE_SECONDS", "queue_seconds", "1", integer(1, 86400),
            "whole seconds from 1 to 86400",
            "Seconds that the first of those may have waited before more are answered 503 at "
            "once."),
    Setting("ORDINATE_DEADLINE", "deadline", "30", integer(1, 86400),
            "whole seconds from 1 to 86400",
            "Seconds from a whole request to its answer, after which it is answered 503."),
    Setting("ORDINATE_CONNECTIONS", "connections", "4096", integer(1, 10**6),
            "an integer from 1 to 1000000",
            "Connections that one worker keeps at a time; beyond them idle ones are closed, or new "
            "ones answered 503."),
    Setting("ORDINATE_MAX_PENDING_BYTES", "max_pending_bytes", "268435456", integer(1, 1 << 40),
            "a number of bytes from 1",
            "Bytes of requests that one worker holds at a time, though at least one of the "
            "largest; beyond them large ones are answered 503."),
    Setting("ORDINATE_STOP_DELAY", "stop_delay", "0", integer(0, 86400),
            "whole seconds from 0 to 86400",
            "Seconds for which a service that is told to stop only answers 503 at /readyz, before "
            "it takes no more connections."),
)
# fmt: on

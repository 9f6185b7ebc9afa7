"""Replays gunicorn's own corpora of valid and invalid requests against the service.

``python -m tests.soak.corpora``

They are in gunicorn's source archive, not in its wheel, and are not copied here: pip fetches the
archive of the very version that is served, by the hash in requirements.txt, into a cache (pip
builds its metadata, for which it fetches a build tool). Without a network this says so and ends
well. Every invalid request must be refused and every valid one answered, but for those listed with
their reasons; a listed one that behaves otherwise is an error as well.
"""

import hashlib
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.models import PLAIN, publish
from tests.support.raw import Answer, Wire
from tests.support.server import ROOT, Server

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ordinate"
FETCH_SECONDS = 300
REFUSALS = {400, 414, 417, 431, 501}
ANSWERS = {200, 404, 405}

SETTING = "its test sets gunicorn otherwise than it is here"
CODING = "only chunked is taken: another coding would be left undecoded"
TAKEN = {
    "010": f"{SETTING}: headers of 10 bytes",
    "011": f"{SETTING}: two headers",
    "012": f"{SETTING}: headers of 98 bytes",
    "019": f"{SETTING}: X-Forwarded-* are believed; here nobody's are, and they are not compared",
    "040": f"{SETTING}: a name with an underscore is refused; here it is dropped",
    "chunked_07": f"{SETTING}: the same",
}
"""Invalid requests that are answered, with the reason."""

REFUSED = {
    "024": f"{SETTING}: a first line of 8,200 bytes",
    "025": CODING,
    "025_line": CODING,
    "026": f"{SETTING}: a header of 8,210 bytes",
    "028": f"{SETTING}: a space before the colon",
    "029": CODING,
    "030": CODING,
    "031compat": f"{SETTING}: methods in small letters",
    "031compat2": f"{SETTING}: the same",
    "099": "its body ends early: its test looks at the head alone",
    "compat_obs_fold": f"{SETTING}: folded headers",
    "compat_obs_fold_huge": f"{SETTING}: the same",
    "pp_01": f"{SETTING}: the PROXY protocol",
    "pp_02": f"{SETTING}: the same",
    "pp_04": f"{SETTING}: the same",
    "pp_05": f"{SETTING}: the same",
    "rfc9112_smuggle_gzip_chunked_01": CODING,
    "rfc9112_smuggle_te_identity_chunked_01": CODING,
}
"""Valid requests that are refused, with the reason."""

_ESCAPE = re.compile(rb"\\(r\\n|0|n|t|x[0-9A-Fa-f]{2})")
_PLAIN_ESCAPES = {b"r\\n": b"\r\n", b"0": b"\0", b"n": b"\n", b"t": b"\t"}
_FIRST_LINE = re.compile(rb"^[^\r\n]+ HTTP/1\.1\r\n", re.MULTILINE)


@dataclass(frozen=True)
class Sample:
    """A request of a corpus as it goes over the wire."""

    name: str
    valid: bool
    data: bytes

    @property
    def variants(self) -> Iterator[bytes]:
        """The request, and where it is only too easily refused, with the Host that it lacks."""
        if not self.valid:
            yield self.data
        if b"\nhost" not in self.data.lower():
            yield _FIRST_LINE.sub(rb"\g<0>Host: x\r\n", self.data)
        elif self.valid:
            yield self.data


def main() -> int:
    """Run the program. Returns its exit code."""
    archive = fetched()
    if archive is None:
        print("skipped: gunicorn's source archive cannot be fetched here")
        return 0
    samples = list(read(archive))
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder) / "models"
        publish(models, "tiny", PLAIN, linear=True)
        with Server(models, ORDINATE_REQUEST_TIMEOUT="5") as server:
            wrong = [fault for sample in samples for fault in faults(server, sample)]
    listed = {f"invalid/{name}" for name in TAKEN} | {f"valid/{name}" for name in REFUSED}
    wrong += [f"{name} is listed and not there" for name in listed - {s.name for s in samples}]
    for fault in wrong:
        print(f"wrong: {fault}")
    valid = sum(sample.valid for sample in samples)
    print(f"{valid} valid and {len(samples) - valid} invalid requests, {len(wrong)} faults")
    print(f"on purpose: {len(REFUSED)} valid ones refused, {len(TAKEN)} invalid ones answered")
    return 1 if wrong or not samples else 0


def faults(server: Server, sample: Sample) -> Iterator[str]:
    """What is wrong about the answers to a request."""
    name = sample.name.partition("/")[2]
    must_pass = name not in REFUSED if sample.valid else name in TAKEN
    for number, data in enumerate(sample.variants):
        if number == 0 and not sample.valid and name in TAKEN:
            continue  # without a Host it is refused all the same
        answers = asked(server, data)
        passed = bool(answers) and all(answer.status in ANSWERS for answer in answers)
        refused = not answers or answers[-1].status in REFUSALS
        statuses = [answer.status for answer in answers]
        if passed == refused or passed != must_pass:
            yield f"{sample.name}: {'answered' if passed else 'refused'} with {statuses}"


def asked(server: Server, data: bytes) -> list[Answer]:
    """The answers to these bytes, after which the client closes its side."""
    with Wire(server) as wire:
        wire.send(data)
        wire.finish()
        return wire.answers()


def read(archive: Path) -> Iterator[Sample]:
    """The requests in the archive."""
    with tarfile.open(archive) as files:
        for entry in sorted(files.getmembers(), key=lambda each: each.name):
            found = re.search(r"/tests/requests/((in)?valid/.+)\.http$", entry.name)
            file = files.extractfile(entry) if found else None
            if found and file:
                yield Sample(found[1], not found[2], unescaped(file.read()))


def unescaped(text: bytes) -> bytes:
    """What a file of a corpus stands for: its own line ends are for the reader alone."""
    return _ESCAPE.sub(_meant, text.replace(b"\n", b""))


def _meant(found: re.Match[bytes]) -> bytes:
    escape = found[1]
    return _PLAIN_ESCAPES.get(escape) or bytes([int(escape[1:], 16)])


def fetched() -> Path | None:
    """The archive, from the cache or the network; None where there is neither."""
    locked = (ROOT / "requirements.txt").read_text()
    pin = re.search(r"^gunicorn==(\S+)(?: \\\n    --hash=\S+)+", locked, re.MULTILINE)
    assert pin, "requirements.txt holds no gunicorn"
    place = CACHE / f"gunicorn-{pin[1]}.tar.gz"
    if not place.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            wanted = Path(folder) / "wanted.txt"
            wanted.write_text(pin[0] + "\n")
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes"]
            command += ["--no-deps", "--no-binary", "gunicorn", "--dest", str(CACHE)]
            command += ["--requirement", str(wanted)]
            subprocess.run(command, capture_output=True, timeout=FETCH_SECONDS, check=False)
    if not place.exists():
        return None
    digest = hashlib.sha256(place.read_bytes()).hexdigest()
    if f"sha256:{digest}" not in pin[0]:
        raise SystemExit(f"error: {place} is not what requirements.txt locks: remove it")
    return place


if __name__ == "__main__":
    sys.exit(main())

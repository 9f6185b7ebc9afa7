"""Real keys in real files."""

from pathlib import Path

from app.signing import Keys, Signer, make_pair, read_trusted


def signer(folder: Path, name: str) -> Signer:
    """A new pair of keys in a folder, as NAME.pem and NAME.pub."""
    folder.mkdir(exist_ok=True)
    made, _ = make_pair(folder / f"{name}.pem")
    return made


def trusting(*signers: Signer, required: bool = True, signs: Signer | None = None) -> Keys:
    """The keys of who trusts these signers, and perhaps signs."""
    return Keys({each.key: each.public for each in signers}, required, signs)


def trusted_in(folder: Path) -> Keys:
    """The keys of a service that is given this folder."""
    return Keys(read_trusted(folder), required=True)

"""Signing what is published already: a version stays as it is, a statement about it is added."""

import os
from pathlib import Path

from app.errors import BrokenModel, StoreError, UnknownModel
from app.files import replace, sync_folder, temporary_name, write_new
from app.signing import Signer, about_version
from app.store.pointer import CURRENT, Pointer, next_pointer
from app.store.reading import SIGNATURE, Opened, Reader
from app.store.writing import Store


class SigningStore(Store):
    """The models folder with a key that vouches for what is in it."""

    def sign(self, name: str, version: int | None = None) -> list[str]:
        """Sign a version, or all of a model; and `current`, if it names one of them.

        What is signed is first compared byte by byte with its manifest. Whether it is what it ought
        to be, who calls this must know.

        Returns:
            A line for each thing that was signed.

        Raises:
            StoreError: there is no key or no such version, or a version is broken.
        """
        self.keys.check_signer()
        if (signer := self.keys.signer) is None:
            raise StoreError(
                "there is no key to sign with: set ORDINATE_SIGNING_KEY to a private key's file"
            )
        with self._writing(), self._alone_in(name) as folder:
            numbers = self.versions(name) if version is None else [version]
            opened = {number: self._unsigned(name, number) for number in numbers}
            for number, found in opened.items():
                _sign(folder, number, found, signer)
            lines = [f"{name}/{number} is signed by {signer.key}" for number in numbers]
            if (pointer := self._present(name)) and pointer.version in opened:
                self._sign_current(folder, pointer, opened[pointer.version])
                lines.append(f"{name}/current is signed by {signer.key}")
        return lines

    def _unsigned(self, name: str, version: int) -> Opened:
        """A version whose signature, if there is one, does not count."""
        try:
            return Reader(self.root, limit=self.limit).open(name, version)
        except (BrokenModel, UnknownModel) as error:
            raise StoreError(f"{name}/{version} cannot be signed: {error.message}") from error

    def _present(self, name: str) -> Pointer | None:
        try:
            return Reader(self.root).current(name)
        except (BrokenModel, UnknownModel):
            return None

    def _sign_current(self, folder: Path, pointer: Pointer, opened: Opened) -> None:
        if pointer.manifest_sha256 != opened.manifest_sha256:
            raise StoreError(
                f"{folder.name}/current names another manifest than version {pointer.version} has: "
                "train again, or make another version current"
            )
        signed = next_pointer(self.keys, folder, pointer.version, pointer.manifest_sha256)
        replace(folder / CURRENT, signed.to_bytes())


def _sign(folder: Path, version: int, opened: Opened, signer: Signer) -> None:
    """Put a signature into a version's folder in one step; nothing unknown is ever seen there."""
    statement = about_version(folder.name, version, opened.manifest_sha256)
    temporary = folder / temporary_name()
    write_new(temporary, signer.sign(statement).to_bytes())
    os.replace(temporary, folder / str(version) / SIGNATURE)
    sync_folder(folder / str(version))

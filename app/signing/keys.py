"""The keys of one process, and what they say of a signature."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.config import Config
from app.errors import BrokenModel, StoreError
from app.keyfiles import named_by
from app.signing.ed25519 import PublicKey, Signer, is_signature, read_signer, read_trusted
from app.signing.statements import Signature, Signed


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one process: whom it trusts, whether it must, and as whom it signs.

    Attributes:
        trusted: public keys by id.
        required: whether what is not signed by one of them is refused.
        signer: what signs here; a service has none.
    """

    trusted: Mapping[str, PublicKey] = field(default_factory=dict)
    required: bool = False
    signer: Signer | None = None

    @classmethod
    def to_verify(cls, config: Config) -> "Keys":
        """Those of a service. Raises ConfigError."""
        with named_by("ORDINATE_TRUSTED_KEYS"):
            return cls(read_trusted(config.trusted_keys), config.require_signature)

    @classmethod
    def to_sign(cls, config: Config) -> "Keys":
        """Those of what publishes or moves `current`. Raises ConfigError."""
        verify = cls.to_verify(config)
        with named_by("ORDINATE_SIGNING_KEY"):
            signer = read_signer(config.signing_key) if config.signing_key else None
        return cls(verify.trusted, verify.required, signer)

    @property
    def used(self) -> bool:
        """Whether there is any key, so that it matters what is signed."""
        return bool(self.trusted or self.signer)

    def check(self, statement: bytes, signature: Signature | None, what: str = "it") -> Signed:
        """What is known of the signature of a statement.

        Args:
            statement: that it must be of.
            signature: if there is one.
            what: is signed, for the message.

        Raises:
            BrokenModel: it is not of this statement; or a trusted one is required, and it is none.
        """
        if signature is None:
            if self.required:
                raise BrokenModel(
                    f"{what} is not signed, and this service requires it: "
                    "sign it with `flask --app wsgi models sign`, or train again with a signing key"
                )
            return Signed()
        public = self._public(signature.key)
        if public is None and self.required:
            raise BrokenModel(
                f"{what} is signed by the key {signature.key}, which is not trusted here"
            )
        if public is None:
            return Signed("unknown key" if self.used else "not checked", signature.key)
        if not is_signature(public, statement, signature):
            raise BrokenModel(
                f"{what} does not match its signature by the key {signature.key}: "
                "it was edited, or was signed in another place"
            )
        return Signed("verified", signature.key)

    def check_signer(self) -> None:
        """Tell before a write whether a service with these keys will take it. Raises StoreError."""
        if self.required and self.signer is None:
            raise StoreError(
                "ORDINATE_REQUIRE_SIGNATURE is on and there is no key to sign with: "
                "set ORDINATE_SIGNING_KEY to the file of a private key"
            )
        if self.trusted and self.signer and self.signer.key not in self.trusted:
            raise StoreError(
                f"ORDINATE_SIGNING_KEY holds the key {self.signer.key}, which is not among "
                "ORDINATE_TRUSTED_KEYS: add its public key there, or sign with another"
            )

    def knows(self, statement: bytes, signature: Signature) -> bool:
        """Whether a key that is known here has signed a statement."""
        public = self._public(signature.key) or self._own(signature.key)
        return public is not None and is_signature(public, statement, signature)

    def _public(self, key: str) -> PublicKey | None:
        """A trusted key; where none is named, who signs trusts themselves."""
        return self.trusted.get(key) if self.trusted else self._own(key)

    def _own(self, key: str) -> PublicKey | None:
        return self.signer.public if self.signer and self.signer.key == key else None

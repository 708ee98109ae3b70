"""Who the agent is: its key, which never leaves this machine, and the name a hub gave it."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from processing.wire.identity import challenge_bytes, enroll_bytes

_KEY: Final = "agent.key"
_IDENTITY: Final = "identity.json"


class NotEnrolled(Exception):
    """The agent belongs to no hub yet; the text says what to do."""


class BadIdentity(Exception):
    """The files that say who the agent is cannot be used; the text says why."""


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """What enrolment gave."""

    agent_id: UUID
    hub_id: UUID
    hub_url: str
    organization: str
    site: str


@dataclass(frozen=True, slots=True)
class Identity:
    """A key and the membership it has."""

    membership: Membership
    _key: Ed25519PrivateKey

    def answer(self, *, hub_id: UUID, nonce: bytes, epoch: int) -> bytes:
        """Return the signature that a challenge asks for."""
        return self._key.sign(
            challenge_bytes(
                hub_id=hub_id, nonce=nonce, agent_id=self.membership.agent_id, epoch=epoch
            )
        )


class IdentityFiles:
    """The data folder's part that says who the agent is."""

    def __init__(self, data_dir: Path) -> None:
        self.key_path: Final = data_dir / _KEY
        self.path: Final = data_dir / _IDENTITY

    def load(self) -> Identity:
        """Return who the agent is; raise `NotEnrolled` or `BadIdentity`."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError as error:
            raise NotEnrolled(
                "this agent belongs to no hub yet: make a join token there and run "
                "`python -m edge_agent enroll --hub URL --token TOKEN`"
            ) from error
        except OSError as error:
            raise BadIdentity(f"{self.path} cannot be read: {error.strerror}") from error
        try:
            membership = msgspec.json.decode(content, type=Membership)
        except msgspec.DecodeError as error:
            raise BadIdentity(f"{self.path} is damaged: {error}. Enrol again") from error
        if not self.key_path.exists():
            raise BadIdentity(f"{self.key_path} is gone. Enrol again")
        return Identity(membership, self._read_key())

    def key(self) -> Ed25519PrivateKey:
        """Return the key; the first call makes it. Raise `BadIdentity`."""
        try:
            self.key_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not self.key_path.exists():
                self._make_key()
        except OSError as error:
            raise BadIdentity(f"{self.key_path} cannot be written: {error.strerror}") from error
        return self._read_key()

    def forget_key(self) -> None:
        """Make the next key another one: a revoked key is never taken again."""
        self.key_path.unlink(missing_ok=True)

    def save(self, membership: Membership) -> None:
        """Store what enrolment gave: all of it or nothing. Raise `BadIdentity`."""
        try:
            _write_private(self.path, msgspec.json.format(msgspec.json.encode(membership)))
        except OSError as error:
            raise BadIdentity(f"{self.path} cannot be written: {error.strerror}") from error

    def is_private(self) -> bool:
        """Return whether nobody else on this machine may read the key."""
        return not self.key_path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)

    def _make_key(self) -> None:
        _write_private(
            self.key_path,
            Ed25519PrivateKey.generate().private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
            ),
        )

    def _read_key(self) -> Ed25519PrivateKey:
        try:
            key = load_pem_private_key(self.key_path.read_bytes(), password=None)
        except OSError as error:
            raise BadIdentity(f"{self.key_path} cannot be read: {error.strerror}") from error
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise BadIdentity(f"{self.key_path} is damaged: remove it and enrol again") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise BadIdentity(f"{self.key_path} is a key of another kind: remove it, enrol again")
        return key


def sign_enrolment(key: Ed25519PrivateKey, token: str) -> tuple[bytes, bytes]:
    """Return the public key, and the proof that we hold the private one."""
    public_key = key.public_key().public_bytes_raw()
    return public_key, key.sign(enroll_bytes(token=token, public_key=public_key))


def _write_private(path: Path, content: bytes) -> None:
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

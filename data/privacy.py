"""People who are to be forgotten, and ids that name nobody: applied while a dataset is read."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from trefoil.data.errors import ConfigError, DataError
from trefoil.data.files import write_file

FORGOTTEN = "forgotten.json"  # beside a dataset, and in the folder of a run's log
ENVIRONMENT = "env:"
SHORTEST_KEY = 16  # characters


@dataclass(frozen=True)
class ForgottenPeople:
    """Ids of people to leave out, each as a digest that only the key of the list makes.

    The list can answer whether an id is on it, and cannot be read. Who holds it with its
    key can try ids that he thinks of, so it stays where the data are.
    """

    key: str
    digests: frozenset[str]

    @classmethod
    def nobody(cls) -> ForgottenPeople:
        """An empty list with a key of its own."""
        return cls(secrets.token_hex(32), frozenset())

    @classmethod
    def read(cls, path: Path) -> ForgottenPeople:
        """A list as ``write`` leaves it; without a file an empty one with a key of its own."""
        if not path.exists():
            return cls.nobody()
        try:
            told = json.loads(path.read_text("utf-8"))
            return cls(str(told["key"]), frozenset(map(str, told["forgotten"])))
        except (OSError, ValueError, KeyError, TypeError) as fault:
            raise DataError(
                f"{path}: no list of forgotten people ({fault}); put it back from a copy"
            ) from None

    def write(self, path: Path) -> None:
        """Replace the file; nobody else may read it."""
        told = {"key": self.key, "forgotten": sorted(self.digests)}
        write_file(path, json.dumps(told, indent=1) + "\n")
        path.chmod(0o600)

    def digest(self, user: str) -> str:
        """HMAC-SHA256 of an id."""
        return hmac.new(bytes.fromhex(self.key), user.encode(), hashlib.sha256).hexdigest()

    def __contains__(self, user: object) -> bool:
        return bool(self.digests) and isinstance(user, str) and self.digest(user) in self.digests

    def __len__(self) -> int:
        return len(self.digests)

    def with_user(self, user: str) -> ForgottenPeople:
        return ForgottenPeople(self.key, self.digests | {self.digest(user)})

    def joined(self, other: ForgottenPeople) -> ForgottenPeople:
        """The people of both lists, where one key makes them or one is empty; else of this one.

        Digests of two keys cannot stand in one list.
        """
        if not self.digests:
            return other
        if other.key != self.key:
            return self
        return ForgottenPeople(self.key, self.digests | other.digests)


def pseudonym(user: str, key: str) -> str:
    """What stands for an id: 128 bits of its HMAC-SHA256, the same wherever the key is.

    >>> pseudonym("user-17", "a key of your own")
    'p71a63db08838bd8e95a59e5671b5302c'
    """
    return "p" + hmac.new(key.encode(), user.encode(), hashlib.sha256).hexdigest()[:32]


def key_from(told: str) -> str:
    """The key that ``env:NAME`` names. Raises ConfigError where it is missing or short."""
    name = told.removeprefix(ENVIRONMENT)
    if not told.startswith(ENVIRONMENT) or not name:
        raise ConfigError(
            f"pseudonyms is {told!r}; write env:NAME, with the key in that variable: "
            "a key in the file would lie beside what it protects"
        )
    key = os.environ.get(name, "")
    if len(key) < SHORTEST_KEY:
        raise ConfigError(
            f"pseudonyms: the variable {name} holds {len(key)} characters; give a secret of at "
            f"least {SHORTEST_KEY}, such as: export {name}=$(openssl rand -hex 32)"
        )
    return key

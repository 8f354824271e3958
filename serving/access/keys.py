"""Keys: random tokens of which only a hash is kept, each with scopes and a limit of its own."""

import hashlib
import hmac
import os
import secrets
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import tomli_w

from trefoil.data.errors import ConfigError
from trefoil.data.suggest import closest

SCOPES = ("read", "events", "admin", "cypher")
PREFIX = "trefoil"
_NO_HASH = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True)
class Key:
    """What is kept of a key: never the key. ``digest`` is the SHA-256 of the whole token.

    A token is 256 random bits, so a plain hash cannot be turned back; a slow one would
    only make every request slow. ``rate`` is requests per second, 0 for the service's
    own; ``runs`` are those it opens, none named for all.
    """

    id: str
    name: str
    digest: str
    scopes: tuple[str, ...]
    made: str
    rate: float = 0.0
    runs: tuple[str, ...] = ()

    def may(self, scope: str) -> bool:
        """Whether it opens routes of a scope."""
        return scope in self.scopes


ANYBODY = Key("local", "this machine", "", SCOPES, "")


def checked_scopes(text: str) -> tuple[str, ...]:
    """Scopes of a comma-separated list. Raises ConfigError for one that is unknown."""
    found = tuple(dict.fromkeys(one.strip() for one in text.split(",") if one.strip()))
    for one in found:
        if one not in SCOPES:
            raise ConfigError(f"--scope {one!r}; {closest(one, SCOPES, limit=9)}")
    if not found:
        raise ConfigError(f"--scope is empty; give some of {', '.join(SCOPES)}")
    return found


@dataclass
class KeyFile:
    """The keys in a TOML file that only its owner may read."""

    path: Path
    keys: dict[str, Key] = field(default_factory=dict)
    _seen: tuple[int, int] | None = None

    @classmethod
    def load(cls, path: Path) -> "KeyFile":
        """Read it; a file that is not there has no keys. Raises ConfigError where damaged."""
        found = cls(path)
        found.refresh()
        return found

    def refresh(self) -> None:
        """Read again where the file has changed: keys come and go without a restart."""
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            self.keys, self._seen = {}, None
            return
        stamp = (stat.st_mtime_ns, stat.st_ino)
        if stamp == self._seen:
            return
        try:
            told = tomllib.loads(self.path.read_text("utf-8"))
            keys = [_key(one) for one in told.get("key", [])]
        except (ValueError, TypeError, KeyError, AttributeError) as fault:
            raise ConfigError(f"{self.path}: no file of keys ({fault}); make a new one") from None
        self.keys, self._seen = {one.id: one for one in keys}, stamp

    def add(
        self, name: str, scopes: Iterable[str], *, rate: float = 0.0, runs: Iterable[str] = ()
    ) -> tuple[Key, str]:
        """A new key, and its token, which is told this once and kept nowhere."""
        id, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
        token = f"{PREFIX}_{id}_{secret}"
        made = datetime.now(UTC).isoformat(timespec="seconds")
        key = Key(id, name, digest_of(token), tuple(scopes), made, rate, tuple(runs))
        self.refresh()
        self._write({**self.keys, id: key})
        return key, token

    def remove(self, id: str) -> Key:
        """Take a key away. Raises ConfigError for an unknown one."""
        self.refresh()
        if id not in self.keys:
            raise ConfigError(f"no key {id!r} in {self.path}; {closest(id, [*self.keys])}")
        left = dict(self.keys)
        gone = left.pop(id)
        self._write(left)
        return gone

    def find(self, token: str) -> Key | None:
        """The key of a token, compared in constant time; None for a wrong one."""
        parts = token.split("_", 2)
        key = self.keys.get(parts[1]) if len(parts) == 3 and parts[0] == PREFIX else None
        same = hmac.compare_digest(digest_of(token), key.digest if key else _NO_HASH)
        return key if same else None

    def _write(self, keys: Mapping[str, Key]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        text = tomli_w.dumps({"key": [{**asdict(one)} for one in keys.values()]})
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)
        self.keys, self._seen = dict(keys), None
        self.refresh()


def digest_of(token: str) -> str:
    """SHA-256 of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def _key(told: Mapping[str, Any]) -> Key:
    return Key(
        str(told["id"]),
        str(told["name"]),
        str(told["digest"]),
        tuple(one for one in told["scopes"] if one in SCOPES),
        str(told["made"]),
        float(told.get("rate", 0.0)),
        tuple(str(one) for one in told.get("runs", ())),
    )

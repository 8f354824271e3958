"""Settings with one part switched off: what an ablation retrains."""

from typing import Any

from data.errors import ConfigError
from fusion.settings import Settings

LEAVES = ("text", "graph", "behaviour", "linear", "network", "choice", "stars", "scenarios")


def ablated(settings: Settings, part: str) -> Settings:
    """The same settings without a leaf, a task or the scenario part. Raises ConfigError."""
    if part not in LEAVES:
        raise ConfigError(f"--ablate {part!r}: choose among {', '.join(LEAVES)}")
    tree: dict[str, Any] = settings.model_dump()
    if part in ("choice", "stars"):
        tree["tasks"][part] = 0.0
    elif part == "scenarios":
        tree["scenarios"] = False
    else:
        tree[part]["on"] = False
    return Settings.model_validate(tree)

"""A dataset folder in a few words."""

import pytest

TOML = """
[interactions]
file = "events.csv"
user = "user_id"
item = "item_id"
"""


@pytest.fixture
def folder(tmp_path):
    """Writes a dataset.toml and files into a fresh folder; returns the folder."""

    def write(toml=TOML, **files):
        (tmp_path / "dataset.toml").write_text(toml, encoding="utf-8")
        for name, content in files.items():
            stem, _, suffix = name.partition("_")
            data = content if isinstance(content, bytes) else content.encode()
            (tmp_path / f"{stem}.{suffix.replace('_', '.')}").write_bytes(data)
        return tmp_path

    return write

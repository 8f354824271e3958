"""Small tables for people: in a terminal, in a notebook; cells are text and never markup."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from io import StringIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

WIDTH = 110  # characters of a table without a terminal


@dataclass(frozen=True)
class Shown:
    """A title, names of columns and rows of text; numbers stand right."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    note: str = ""

    def rich(self) -> "Table":
        """For rich."""
        from rich.table import Table
        from rich.text import Text

        table = Table(title=Text(self.title), title_justify="left", caption=Text(self.note) or None)
        for place, name in enumerate(self.columns):
            number = bool(self.rows) and isinstance(self.rows[0][place], int | float)
            table.add_column(Text(name), justify="right" if number else "left")
        for row in self.rows:
            table.add_row(*(Text(cell_text(one)) for one in row))
        return table

    def text(self) -> str:
        """As plain text, without colours."""
        from rich.console import Console

        out = StringIO()
        Console(file=out, width=WIDTH, force_terminal=False, no_color=True).print(self.rich())
        return out.getvalue().rstrip()

    def html(self) -> str:
        """As an HTML table; everything in it is escaped."""
        head = "".join(f"<th>{escape(name)}</th>" for name in self.columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell_text(one))}</td>" for one in row) + "</tr>"
            for row in self.rows
        )
        note = f"<p>{escape(self.note)}</p>" if self.note else ""
        caption = f"<caption>{escape(self.title)}</caption>"
        table = f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return table + note


def cell_text(value: object) -> str:
    """A cell: numbers in few digits, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)

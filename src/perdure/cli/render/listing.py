"""A table that fits its terminal: where not all columns have room, the least important ones are left out."""

from collections.abc import Iterator

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

WHOLE = frozenset({"id", "status", "took", "age"})
"""Columns of which no cell is broken into lines."""
WRAPPED_CHARACTERS_MIN = 24
"""A cell of the others that is longer may be broken into lines of so many characters."""
GAP_CHARACTERS = 3


class Listing:
    """`spare` names columns that may be left out, the least important first."""

    def __init__(self, *columns: str, spare: tuple[str, ...]) -> None:
        self._columns = columns
        self._spare = spare
        self._rows: list[tuple[RenderableType, ...]] = []

    def add_row(self, *cells: RenderableType) -> None:
        """A cell for each column."""
        self._rows.append(cells)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        needed = self._needed(console, options)
        left_out: list[str] = []
        for column in self._spare:
            if sum(needed.values()) + GAP_CHARACTERS * (len(needed) - 1) <= options.max_width:
                break
            del needed[column]
            left_out.append(column)
        yield self._table([number for number, column in enumerate(self._columns) if column in needed])
        if left_out:
            yield Text(f"No room for: {', '.join(left_out)}. --json has all.", style="dim")

    def _needed(self, console: Console, options: ConsoleOptions) -> dict[str, int]:
        """How many characters each column needs."""
        needed = {}
        for number, column in enumerate(self._columns):
            cells = (column, *(row[number] for row in self._rows))
            longest = max(Measurement.get(console, options.update(max_width=1000), cell).maximum for cell in cells)
            needed[column] = longest if column in WHOLE else min(longest, WRAPPED_CHARACTERS_MIN)
        return needed

    def _table(self, numbers: list[int]) -> Table:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim", show_edge=False)
        for number in numbers:
            column = self._columns[number]
            table.add_column(column, no_wrap=column in WHOLE, overflow="fold")
        for row in self._rows:
            table.add_row(*(row[number] for number in numbers))
        return table

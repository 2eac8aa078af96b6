"""Figures as a table, as JSON, and in docs/performance.md."""

import json
import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path

from bench.figures import Figure

DOCUMENT = Path(__file__).parent.parent / "docs" / "performance.md"
BETWEEN = re.compile(r"(<!-- bench:start -->\n).*(<!-- bench:end -->)", re.DOTALL)


def table(results: dict[str, list[Figure]], quick: bool) -> str:
    """A Markdown table: a row per figure, a column per form; the spread where there are several samples."""
    names = list(dict.fromkeys((figure.name, figure.unit) for figures in results.values() for figure in figures))
    by_form = {form: {figure.name: figure for figure in figures} for form, figures in results.items()}
    lines = [
        f"Measured {datetime.now(UTC):%Y-%m-%d} with `make bench{' QUICK=1' if quick else ''}` on {machine()}.",
        "Medians; in brackets the lowest and the highest sample.",
        "",
        "| figure | unit | " + " | ".join(results) + " |",
        "| --- | --- |" + " ---: |" * len(results),
    ]
    for name, unit in names:
        cells = [_cell(by_form[form].get(name)) for form in results]
        lines.append(f"| `{name}` | {unit} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def machine() -> str:
    python = platform.python_version()
    return f"{os.cpu_count()} cores shared with database and clients, {platform.system()}, Python {python}"


def write_document(text: str) -> None:
    """Put the table between the markers."""
    document = DOCUMENT.read_text("utf-8")
    DOCUMENT.write_text(BETWEEN.sub(lambda match: match[1] + text + match[2], document), "utf-8")


def write_json(path: Path, results: dict[str, list[Figure]]) -> None:
    """Figures under stable names: form, figure, then unit, median and samples."""
    content = {
        form: {
            figure.name: {"unit": figure.unit, "median": figure.median, "samples": figure.samples} for figure in figures
        }
        for form, figures in results.items()
    }
    path.write_text(json.dumps(content, indent=2) + "\n", "utf-8")


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return "–"
    if len(figure.samples) == 1:
        return _number(figure.median)
    return f"{_number(figure.median)} ({_number(min(figure.samples))}–{_number(max(figure.samples))})"


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"

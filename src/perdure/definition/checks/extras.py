"""Checks that what a definition needs is installed here."""

import importlib.util

from perdure.definition.checks.report import Report


def require_extra(extra: str, what: str, module: str, pointer: str, report: Report) -> None:
    """Warn where the libraries of an extra are missing, as seen by whoever registers; workers may differ."""
    if importlib.util.find_spec(module) is None:
        report.warn(pointer, f"{what} libraries that are not installed here: pip install 'perdure[{extra}]'")

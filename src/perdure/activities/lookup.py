"""Finds things by name, and says what is written alike where there is none."""

import difflib
from collections.abc import Iterable

SUGGESTIONS_MAX = 3
NAMES_MAX = 2000


def suggestion(name: str, names: Iterable[str]) -> str:
    """How to go on after "there is no …": a question, or what there is."""
    known = list(names)[:NAMES_MAX]
    folded = {other.lower(): other for other in known}
    close = difflib.get_close_matches(name.lower(), folded, SUGGESTIONS_MAX, 0.6)
    if close:
        return f"; did you mean {' or '.join(folded[other] for other in close)}?"
    if not known:
        return "; it has none."
    return f"; it has {', '.join(known[:10])}{', …' if len(known) > 10 else ''}."

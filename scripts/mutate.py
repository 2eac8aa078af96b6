"""``make mutate [SEED=n] [MUTANTS=n]``: small faults in the engine and the runtime, and whether quick tests find them.

mutmut (its settings are in pyproject.toml) makes the mutants in ``mutants/`` and runs, for each, the tests that come by
the changed function. Here some of them are chosen by a seed: of functions that these tests come by, and none that only
changes a text.
"""

import argparse
import json
import random
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

from mutmut.configuration import config
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code

MUTANTS = Path("mutants")
TEXT = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'')
FOUND = ("killed", "timeout", "segfault", "suspicious")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mutants", type=int, default=200, help="how many are tried")
    asked = parser.parse_args()
    mutmut("perdure.engine.durations.x_after__mutmut_1")  # makes all of them
    chosen = sample(random.Random(asked.seed), asked.mutants)
    mutmut(*chosen)
    results = {name: status_by_exit_code[code] for name, code in codes().items() if name in chosen}
    for name, status in results.items():
        if status not in FOUND:
            print(f"\n{name}: {status}\n{get_diff_for_mutant(name)}")
    print(f"{len(chosen)} mutants: {dict(Counter(results.values()))}")
    return 0


def mutmut(*names: str) -> None:
    command = [str(Path(sys.executable).with_name("mutmut")), "run", "--max-children", "1", *names]
    subprocess.run(command, check=True)


def codes() -> dict[str, int | None]:
    """All mutants, and what the tests of each ended with; None where they have not run."""
    found: dict[str, int | None] = {}
    for meta in sorted(MUTANTS.rglob("*.meta")):
        found |= json.loads(meta.read_text())["exit_code_by_key"]
    return found


def sample(chance: random.Random, wanted: int) -> list[str]:
    """Mutants that tests come by, and that change more than a text."""
    stats = json.loads((MUTANTS / "mutmut-stats.json").read_text())
    tested = {name for name, tests in stats["tests_by_mangled_function_name"].items() if tests}
    names = sorted(name for name in codes() if name.rpartition("__mutmut_")[0] in tested)
    chance.shuffle(names)
    chosen: list[str] = []
    while names and len(chosen) < wanted:
        name = names.pop()
        if not _is_text(get_diff_for_mutant(name)):
            chosen.append(name)
    return chosen


def _is_text(diff: str) -> bool:
    lines = [line for line in diff.splitlines()[2:] if line[:1] in "+-"]
    before, after = ("".join(TEXT.sub('""', x[1:]) for x in lines if x[0] == sign) for sign in "-+")
    return before == after


if __name__ == "__main__":
    config()
    sys.exit(main())

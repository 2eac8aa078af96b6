"""`python -m bench`: the two forms, one after the other; every workload of each, or those asked for."""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))  # the servers that the tests use

from bench import report
from bench.client import Client
from bench.figures import FULL, QUICK, Figure, Size
from bench.forms import FORMS
from bench.load import LoadClient
from bench.stand import Stand
from bench.workloads import WORKLOADS


async def measure(size: Size, forms: Sequence[str], names: Sequence[str]) -> dict[str, list[Figure]]:
    """All figures by form."""
    results: dict[str, list[Figure]] = {}
    for form in forms:
        async with LoadClient() as load, FORMS[form]() as platform, Client(platform.url, platform.key) as client:
            stand = Stand(platform, client, load, size)
            for name in names:
                began = time.monotonic()
                async for figure in WORKLOADS[name](stand):
                    results.setdefault(form, []).append(figure)
                    print(f"{form:12} {figure.name:32} {figure.median:12,.2f} {figure.unit}", flush=True)
                print(f"{form:12} {name} took {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return results


def main() -> None:
    arguments = _arguments()
    forms, names = arguments.form or list(FORMS), arguments.only or list(WORKLOADS)
    results = asyncio.run(measure(QUICK if arguments.quick else FULL, forms, names))
    text = report.table(results, arguments.quick)
    print("\n" + text)
    if not arguments.only and not arguments.form:
        report.write_document(text)
    if arguments.json:
        report.write_json(arguments.json, results)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller numbers, about five minutes")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument(
        "--only",
        action="append",
        choices=list(WORKLOADS),
        help="measure only this workload and leave the document alone; may be repeated",
    )
    parser.add_argument("--form", action="append", choices=list(FORMS), help="measure only this form; the same")
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""`python -m bench`: the two forms, one after the other; every workload of each, or those asked for."""

import argparse
import asyncio
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))  # the servers that the tests use

from bench import report
from bench.client import Client
from bench.figures import FULL, QUICK, Figure, Size
from bench.forms import FORMS, WORKERS
from bench.load import LoadClient
from bench.ratios import ratios
from bench.stand import Stand
from bench.workloads import WORKLOADS


async def measure(
    size: Size, forms: Sequence[str], names: Sequence[str], workers: int
) -> tuple[dict[str, list[Figure]], list[str]]:
    """All figures by form, and what has failed. A workload that fails leaves the others their figures."""
    results: dict[str, list[Figure]] = {form: [] for form in forms}
    failed: list[str] = []
    for form in forms:
        async with LoadClient() as load, FORMS[form](workers) as platform, Client(platform.url, platform.key) as client:
            stand = Stand(platform, client, load, size)
            for name in names:
                began = time.monotonic()
                try:
                    async for figure in WORKLOADS[name](stand):
                        results[form].append(figure)
                        _print(form, figure)
                except Exception:
                    traceback.print_exc()
                    failed.append(f"{form} {name}")
                print(f"{form:12} {name} took {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        for figure in ratios(results[form]):
            results[form].append(figure)
            _print(form, figure)
    return results, failed


def _print(form: str, figure: Figure) -> None:
    print(f"{form:12} {figure.name:32} {figure.median:12,.2f} {figure.unit}", flush=True)


def main() -> None:
    arguments = _arguments()
    forms, names = arguments.form or list(FORMS), arguments.only or list(WORKLOADS)
    results, failed = asyncio.run(measure(QUICK if arguments.quick else FULL, forms, names, arguments.workers))
    text = report.table(results, arguments.quick)
    print("\n" + text)
    if not (arguments.only or arguments.form or arguments.workers != WORKERS or failed):
        report.write_document(text)
    if arguments.json:
        report.write_json(arguments.json, results)
    if failed:
        sys.exit(f"failed, so that their figures are missing or void: {', '.join(failed)}")


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
    parser.add_argument("--workers", type=int, default=WORKERS, help="how many of the distributed form; the same")
    return parser.parse_args()


if __name__ == "__main__":
    main()

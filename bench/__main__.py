"""`python -m bench [--quick] [--json FILE] [--only WORKLOAD]`: the two forms, one after the other."""

import argparse
import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))  # the servers that the tests use

from bench import forms, report
from bench.client import Client
from bench.workloads import FULL, QUICK, WORKLOADS, Figure


async def measure(quick: bool, only: list[str]) -> dict[str, list[Figure]]:
    """All figures by form."""
    size = QUICK if quick else FULL
    results: dict[str, list[Figure]] = {}
    for open_form in (forms.embedded, forms.distributed):
        async with open_form() as form, Client(form.url, form.key) as client:
            figures = results.setdefault(form.name, [])
            for workload in WORKLOADS:
                if only and workload.__name__ not in only:
                    continue
                for figure in await workload(client, form, size):
                    figures.append(figure)
                    print(f"{form.name:12} {figure.name:24} {figure.median:12,.2f} {figure.unit}", flush=True)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter samples, about two minutes")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        choices=[workload.__name__ for workload in WORKLOADS],
        help="measure only this workload and leave the document alone; may be repeated",
    )
    arguments = parser.parse_args()
    results = asyncio.run(measure(arguments.quick, arguments.only))
    text = report.table(results, arguments.quick)
    print("\n" + text)
    if not arguments.only:
        report.write_document(text)
    if arguments.json:
        report.write_json(arguments.json, results)


if __name__ == "__main__":
    main()

"""``make simulate [SEED=n] [SEEDS=n]``: lives the worlds of these seeds; stops at the first that breaks a promise."""

import argparse
import sys
import time
import traceback

from city.city import run


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the first")
    parser.add_argument("--seeds", type=int, default=1, help="how many")
    asked = parser.parse_args()
    began, steps, deaths, calls, doubts = time.monotonic(), 0, 0, 0, 0
    for number, seed in enumerate(range(asked.seed, asked.seed + asked.seeds), 1):
        try:
            report = run(seed)
        except Exception as broken:
            traceback.print_exc()
            print(f"\nSeed {seed}: {broken}\nTo see it again: make simulate SEED={seed}")
            return 1
        steps, deaths, calls = steps + report.steps, deaths + report.deaths, calls + report.calls
        doubts += report.doubts.total()
        if number % 100 == 0 or number == asked.seeds:
            spent = time.monotonic() - began
            print(
                f"{number} worlds in {spent:.0f} s: {steps} steps, {deaths} deaths of workers, {calls} calls, {doubts} in doubt"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())

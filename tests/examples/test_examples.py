"""Every example runs with one command and says so by its exit code."""

import asyncio
import os
import sys
from functools import partial
from pathlib import Path

import pytest

from integration.programs import Program
from perdure import wiring
from perdure.definition import loader
from perdure.demo import order
from perdure.scenarios import files
from perdure.settings import Settings

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/run.py"))
DEFINITIONS = sorted(path for path in EXAMPLES.glob("*/*.yaml") if path.name != "scenarios.yaml")
SCENARIOS = sorted(EXAMPLES.glob("*/scenarios.yaml"))
SECONDS_MAX = 90


@pytest.fixture(scope="module")
async def dev():
    program = Program("dev")
    await program.start()
    yield program
    await program.close()


async def run(name, **environment):
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PERDURE_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(EXAMPLES / name / "run.py"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd="/",
        env={**clean, **environment},
    )
    async with asyncio.timeout(SECONDS_MAX):
        out, _ = await process.communicate()
    return process.returncode, out.decode()


@pytest.mark.parametrize("name", NAMES)
async def test_on_a_running_platform(dev, name):
    code, out = await run(name, PERDURE_API_URL=dev.url)
    assert code == 0, out


async def test_on_a_platform_of_its_own():
    code, out = await run("payment-saga")
    assert code == 0, out


@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda path: path.name)
def test_definitions_are_valid_and_raise_no_warning(path):
    definition = loader.load(path.read_bytes(), "application/yaml")
    assert definition.warnings == ()
    assert path.stem == definition.name == path.parent.name


def test_the_shipped_definition_is_valid_and_raises_no_warning():
    definition = loader.load(order.source(), "application/yaml")
    assert definition.warnings == ()
    assert (definition.namespace, definition.name) == (order.NAMESPACE, order.NAME)


def test_every_example_is_listed_and_described():
    index = (EXAMPLES / "README.md").read_text()
    for name in NAMES:
        assert f"python examples/{name}/run.py" in index
        assert f"python examples/{name}/run.py" in (EXAMPLES / name / "README.md").read_text()


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.parent.name)
async def test_scenarios_hold_and_leave_nothing_out(path):
    played = await files.play(path, partial(wiring.open_evaluator, Settings(_env_file=None)))
    assert [outcome.failures for outcome in played.outcomes if outcome.failures] == []
    assert played.coverage.untaken == ()


def test_every_example_with_a_definition_has_scenarios():
    assert {path.parent.name for path in SCENARIOS} >= {path.parent.name for path in DEFINITIONS}

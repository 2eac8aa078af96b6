"""What a command costs before it does anything, and where it finds its server."""

import subprocess
import sys

import pytest

from perdure.cli import exits
from perdure.client.exchange import DEFAULT_URL
from perdure.settings import Settings

HEAVY = ("aiohttp", "asyncpg", "fastapi", "pydantic_settings", "perdure.wiring")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("PERDURE_API_URL", "PERDURE_API_KEY", "PERDURE_STEP_BATCH_MAX"):
        monkeypatch.delenv(name, raising=False)


def test_help_loads_nothing_heavy():
    code = f"import sys, perdure.cli.main; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_server_is_that_of_the_settings(tmp_path, monkeypatch):
    assert exits.server() == (Settings().api_url, None) == (DEFAULT_URL, None)
    monkeypatch.setenv("PERDURE_API_URL", "http://variable")
    monkeypatch.setenv("PERDURE_API_KEY", "k")
    assert exits.server() == (Settings().api_url, Settings().api_key) == ("http://variable", "k")
    (tmp_path / ".env").write_text("PERDURE_API_URL=http://file\n")
    assert exits.server() == (Settings().api_url, Settings().api_key) == ("http://file", "k")


def test_flags_come_before_the_file_and_the_file_before_variables(tmp_path, monkeypatch):
    monkeypatch.setenv("PERDURE_STEP_BATCH_MAX", "10")
    assert Settings().step_batch_max == 10
    (tmp_path / ".env").write_text("PERDURE_STEP_BATCH_MAX=20\n")
    assert Settings().step_batch_max == 20
    assert Settings(step_batch_max=30).step_batch_max == 30

import pytest
from command import Commands

from integration.programs import Program


@pytest.fixture(scope="session")
async def dev():
    """A `perdure dev` that the tests share: each deploys definitions of its own."""
    program = Program("dev")
    await program.start()
    yield program
    await program.close()


@pytest.fixture
def perdure(dev, tmp_path):
    return Commands(dev.url, tmp_path)

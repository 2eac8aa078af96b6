"""`perdure demo`: the order is fulfilled, also when the program is killed in the middle."""

import asyncio
import re
import signal

import pytest
from command import Commands, Terminal

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def perdure(tmp_path):
    # Nobody's 8080 is needed: with port 0 the demo takes a free port, and keeps it.
    return Commands("http://127.0.0.1:9", tmp_path)


async def test_killed_in_the_middle_the_order_goes_on(perdure):
    arguments = ("demo", "--once", "--port", "0")
    first = await perdure.begin(*arguments)
    said = ""
    while "confirmPayment waits for its callback" not in said:
        line = await asyncio.wait_for(first.stdout.readline(), 60)
        assert line, (said, await first.stderr.read())
        said += line.decode()
    first.kill()
    await first.communicate()
    order = re.search(r"^Order (\S+)$", said, re.MULTILINE).group(1)

    second = await perdure(*arguments)
    assert second.code == 0, second
    assert f"Order {order} was not finished: it goes on where it was" in second.out
    assert '"status":"fulfilled"' in second.out
    assert "POST /shipments" in second.out
    assert "POST /reservations" not in second.out, "what was done before must not be asked for again"
    sequences = [int(number) for number in re.findall(r"^ +(\d+)  \d\d:\d\d", second.out, re.MULTILINE)]
    assert sequences == sorted(sequences) != []
    assert re.search(r"human-task completed +approve +demo", second.out)
    assert second.out.count("workflow completed") == 1


async def test_at_a_terminal_the_person_decides(perdure):
    screen = await Terminal.begin(perdure, "demo", "--port", "0")
    await screen.until_shown("Press y to approve")
    screen.press("n")
    await screen.until_shown("You rejected", '"The order was rejected"', "Serving until you press Ctrl-C")
    assert "DELETE /reservations/" in screen.shown
    assert "POST /refunds" in screen.shown
    screen.process.send_signal(signal.SIGINT)
    assert await screen.ended() == 0
    assert "Traceback" not in screen.shown

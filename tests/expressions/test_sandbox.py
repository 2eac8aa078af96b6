"""What must hold however requests of the sandbox are given up."""

import asyncio
import socket
import threading

from perdure.expressions import sandbox, worker
from perdure.expressions.sandbox import Answer, Sandbox

ONE = [("1", ())]


async def test_a_request_given_up_while_its_process_starts_leaves_it_to_the_next(monkeypatch):
    begun, go_on = threading.Event(), threading.Event()
    spawn, spawned = sandbox._spawned, []

    def late(*arguments):
        begun.set()
        go_on.wait()
        spawned.append(spawn(*arguments))
        return spawned[-1]

    monkeypatch.setattr(sandbox, "_spawned", late)
    tried = Sandbox(slots=1, seconds_max=5, memory_bytes_max=1 << 29, output_bytes_max=1 << 20)
    request = asyncio.create_task(tried.evaluate(ONE, b"[null,{}]"))
    await asyncio.to_thread(begun.wait)
    request.cancel()
    await asyncio.gather(request, return_exceptions=True)
    others = socket.socketpair()  # these get the numbers of what has been closed
    try:
        go_on.set()
        assert await tried.evaluate(ONE, b"[null,{}]") == [Answer(worker.VALUE, b"1")]
        assert len(spawned) <= 2, "its own, and a spare one"
        await tried.stop()
        assert [process.pid for process in spawned if process.poll() is None] == []
    finally:
        for end in others:
            end.close()

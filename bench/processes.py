"""Load clients and services are processes of their own: what they cost must not slow what is measured."""

import multiprocessing
import os
import threading
from multiprocessing.connection import wait

SPAWN = multiprocessing.get_context("spawn")


def end_with_parent() -> None:
    """Have this process end as soon as the one that started it has, however that ended."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()

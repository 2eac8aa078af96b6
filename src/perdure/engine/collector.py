"""What `schedule.on` consumes (DSL, "Event-driven scheduling"): a listening that stands before the process.

The same `listen` that runs inside of processes matches and correlates the events, in a program of that one task.
Each set of events that it completes starts a process. A set that isn't whole yet is a state of that program.
"""

from hashlib import blake2b

from perdure.codec import encode
from perdure.definition.program import Listen, Program, Scope, Strategy
from perdure.engine.draft import ENDED
from perdure.engine.state import ListenFrame, State
from perdure.engine.step import Step
from perdure.engine.tasks.listen import EVENT_CONSUMED

REFERENCE = "/schedule/on"
EVENTS_PER_SET_MAX = 1_000


def program_of(program: Program, strategy: Strategy) -> Program:
    """The program that consumes what `strategy`, the schedule of `program`, wants."""
    definition = {"listen": {"to": program.document["schedule"]["on"], "read": "envelope"}}
    task = Listen(index=0, name="on", reference=REFERENCE, definition=definition, strategy=strategy, read="envelope")
    return Program(
        namespace=program.namespace,
        name=program.name,
        version=program.version,
        document=program.document,
        body=Scope((task,), {"on": 0}),
        tasks=(task,),
        expressions=program.expressions,
        secrets=program.secrets,
    )


def has_consumed(step: Step) -> bool:
    """Whether the event of this step belongs to the set."""
    return any(entry.type == EVENT_CONSUMED for entry in step.history)


def is_whole(step: Step) -> bool:
    """Whether the set wants no more events."""
    return step.status in ENDED


def size(state: State) -> int:
    """How many events an open set holds."""
    return sum(frame.count for frame in state.frames if isinstance(frame, ListenFrame))


def correlation_of(strategy: Strategy, state: State) -> bytes:
    """What tells open sets apart: the values that the first event gave to correlations without `expect`.

    Empty where there are none, or where filters correlate differently, so that each open set has to be asked.
    """
    names = {frozenset(c.name for c in filter_.correlations if c.expect is None) for filter_ in strategy.filters}
    if len(names) != 1 or not next(iter(names)) or strategy.until is not None:
        return b""
    found = sorted((name, ref.hex()) for frame in state.frames if isinstance(frame, ListenFrame)
                   for name, ref in frame.found.items())  # fmt: skip
    return blake2b(encode(found), digest_size=16).digest()

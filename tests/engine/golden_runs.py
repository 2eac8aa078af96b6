"""The processes whose stored states are kept in `golden/`: between them every kind of frame and of fact.

Their files are made once (`goldens.py`) and stand by themselves from then on. What a later release adds gets a run of
its own here.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from driver import Run

from perdure.engine.errors import Error, standard
from perdure.engine.facts import (
    ActivityFailed,
    ActivitySucceeded,
    CallInDoubt,
    CancelRequested,
    ChildEnded,
    EventReceived,
    Exchange,
    HumanTaskActed,
    HumanTaskCompleted,
    JobCompleted,
    JobFailed,
    JobLeased,
    JobReturned,
    MessageReceived,
    RepairRequested,
    ResumeRequested,
    RetryRequested,
    RunEnded,
    SuspendRequested,
)

CALL = "{call: http, with: {method: get, endpoint: 'http://x'}}"
CALL_SOON = "{call: http, with: {method: get, endpoint: 'http://x'}, timeout: {after: PT1M}}"

CALLS = f"""
timeout: {{after: P1D}}
do:
  - flow:
      do:
        - count: {{set: {{n: '${{ (.n // 0) + 1 }}'}}, input: {{from: '${{ {{n: .n}} }}'}}}}
        - again: {{switch: [more: {{when: .n < 3, then: count}}, enough: {{then: continue}}]}}
        - insist:
            try: [c: {CALL_SOON}]
            catch: {{retry: {{delay: PT5S, limit: {{attempt: {{count: 1, duration: PT2M}}}}}}, do: [h: {CALL}]}}
"""


def calls(run: Run) -> None:
    """Attempts, timers and timeouts; the flow goes backwards; an operator's retry after the fault of a handler."""
    run.start({"n": 1}).fail("c").fire("retry").fire("timeout")
    run.fail("h").take(RetryRequested("ann", "again")).succeed("h", {"done": True})


LOOPS = f"""
do:
  - long: {{for: {{each: n, at: i, in: '[range(205)]'}}, do: [a: {{if: $n % 100 == 0, do: [c: {CALL}]}}]}}
  - short: {{for: {{in: '[1, 2]'}}, while: . != null, do: [w: {{wait: PT1H}}]}}
"""


def loops(run: Run) -> None:
    """A collection in chunks, one in the frame."""
    run.start({"n": 1})
    for number in range(3):
        run.succeed("c", number)
    run.fire().fire()


BRANCHES = f"""
do:
  - all: {{fork: {{branches: [a: {CALL}, b: {{do: [w: {{wait: PT1M}}, c: {{set: '${{ 2 }}'}}]}}]}}}}
  - first: {{fork: {{compete: true, branches: [d: {CALL}, e: {CALL}]}}}}
  - last: {{set: '${{ [$context, .] }}'}}
"""


def branches(run: Run) -> None:
    run.start({"n": 1}).succeed("a", 1).fire().succeed("e", "e")


SWITCHED = """
do:
  - a: {switch: [x: {when: .n == 1, then: c}], export: {as: 'if .n then {n: .n} else error("none") end'}}
  - b: {set: '${ "skipped" }'}
  - c: {switch: [x: {when: 'true', then: end}], output: {as: 'error("never")'}}
"""


def switched(run: Run) -> None:
    """A fault after the case was chosen."""
    run.start({"n": 1})


PEOPLE = """
do:
  - ask: {call: 'human-task:1.0.0@default', with: {title: T, due: PT1H, escalateTo: [bosses]}}
  - told: {call: 'callback:1.0.0@default', with: {request: {method: post, endpoint: 'http://x'}}}
  - both: {set: '${ . }'}
"""


def people(run: Run) -> None:
    run.start({"n": 1})
    (task,) = run.human_tasks
    run.take(HumanTaskActed(task, "claimed", "ann", "ann"), HumanTaskActed(task, "delegated", "ann", "key", "bob"))
    run.fire("due")
    del run.human_tasks[task]
    run.take(HumanTaskCompleted(task, {"outcome": "approved", "data": {"x": 1}}, "bob", "key"))
    run.succeed("told", "sent").call_back({"paid": True})


JOBS = """
do:
  - one: {call: 'job:1.0.0@default', with: {type: t, input: '${ .n }', lease: PT10S}}
  - two: {try: [j: {call: 'job:1.0.0@default', with: {type: t}}], catch: {retry: {}}}
"""


def jobs(run: Run) -> None:
    run.start({"n": 1})
    one = run.activity("one").id
    until, again = run.now + timedelta(seconds=10), run.now + timedelta(seconds=30)
    run.take(JobLeased(one, 1, 1, "w", "key", until))
    run.take(JobReturned(one, 1, 1, "w", "key", "failed", standard("runtime", "no luck"), again))
    run.take(JobLeased(one, 1, 2, "w", "key", again))
    del run.jobs[one]
    run.take(JobCompleted(one, 1, 2, {"n": 2}, "w", "key"))
    two = run.activity("j").id
    del run.jobs[two]
    run.take(JobFailed(two, 1, 1, Error("urn:no", 409, "No", "not now", "/do/1"), "w", "key"))
    del run.jobs[two]
    run.take(JobCompleted(two, 2, 1, "done", "w", "key"))


CHILDREN = """
do:
  - child: {run: {workflow: {namespace: n, name: c, version: 1.0.0, input: '${ . }'}}}
  - many:
      call: 'map:1.0.0@default'
      with:
        {items: '${ [range(3)] }', process: {namespace: n, name: c, version: 1.0.0}, concurrency: 2, onError: collect}
"""


def children(run: Run) -> None:
    run.start({"n": 1}).end_child("completed", {"n": 2})
    for status, error in (("faulted", standard("runtime", "no")), ("completed", None), ("cancelled", None)):
        child = next(iter(run.children.values()))
        del run.children[child.child]
        run.take(ChildEnded(child.activity, child.child, status, {"s": status}, error))


LISTENING = f"""
do:
  - l:
      listen:
        to:
          any: [{{with: {{type: a}}, correlate: {{k: {{from: .data.k, expect: '${{ .n }}'}}, l: {{from: .data.l}}}}}}]
          until: {{all: [{{with: {{type: stop}}}}, {{with: {{type: halt}}}}]}}
      foreach: {{item: e, do: [c: {CALL}, w: {{if: 'false', set: {{x: 1}}}}], output: {{as: '{{k: .k}}'}}}}
  - m: {{listen: {{to: {{all: [{{with: {{type: a}}}}, {{with: {{type: b}}}}]}}}}}}
"""


def listening(run: Run) -> None:
    def event(type_: str, data: Any = None) -> None:
        named = {"specversion": "1.0", "id": "1", "source": "/tests", "type": type_, "data": data}
        run.take(EventReceived(next(iter(run.subscriptions)), named))

    run.start({"n": 1})
    event("a", {"k": 1, "l": 2})
    event("a", {"k": 1, "l": 2})
    run.succeed("c", {"k": "first"})
    event("stop")
    event("halt")
    run.succeed("c", {"k": "second"})
    event("b", {"pad": "x" * 300})
    event("a")


MESSAGES = """
do:
  - s:
      call: asyncapi
      with:
        document: {endpoint: 'http://d'}
        channel: c
        protocol: amqp
        subscription: {consume: {amount: 3}, foreach: {do: [w: {wait: PT1M}]}}
"""


def messages(run: Run) -> None:
    run.start({"n": 1})
    call = run.call("s")
    for number in range(3):
        message, receipt = {"payload": number, "headers": {}}, UUID(int=number + 1)
        run.take(MessageReceived(call.activity, 1, receipt, message, f"message-{number}"))
    run.fire().fire().fire()


EXTENDED = f"""
use:
  extensions:
    - outer:
        extend: set
        before: [b: {CALL}]
        after: [a: {CALL}]
    - late: {{extend: switch, after: [z: {CALL}]}}
    - inner: {{extend: set, before: [g: {{if: .n == 2, do: [x: {{set: {{given: true}}, then: exit}}]}}]}}
    - given: {{extend: call, when: '$task.name == "c"', before: [y: {{set: {{given: 1}}, then: exit}}]}}
do:
  - s: {{set: {{n: 2}}, then: u}}
  - t: {{set: '${{ "skipped" }}'}}
  - u: {CALL}
  - v: {{switch: [x: {{when: 'true', then: c}}]}}
  - w: {{set: '${{ "skipped" }}'}}
  - c: {{call: http, with: {{method: get, endpoint: 'http://x'}}, output: {{as: 'error("never")'}}}}
"""


def extended(run: Run) -> None:
    """Before and after a task; a task that an extension has done instead, and that faults afterwards."""
    run.start({"n": 1}).succeed("b", 1).succeed("a", 2).succeed("u", {"n": 3}).succeed("z", 3)


UNDECIDED = f"""
use: {{extensions: [e: {{extend: set, before: [b: {CALL}]}}]}}
do:
  - c: {CALL}
  - again: {{switch: [more: {{when: . == "more", then: c}}]}}
  - s: {{if: 'error("neither")', set: {{x: 1}}}}
"""


def undecided(run: Run) -> None:
    """The flow goes backwards; the condition of an extended task fails."""
    run.start({"n": 1}).succeed("c", "more").succeed("c", "enough")


OPERATED = f"""
do:
  - f: {{fork: {{branches: [a: {CALL}, b: {{do: [d: {CALL}]}}, w: {{wait: PT1H}}]}}}}
  - s: {{run: {{shell: {{command: x}}, await: false}}}}
  - c: {CALL}
output: {{as: 'if . == "ended" then . else error("not yet") end'}}
"""


def operated(run: Run) -> None:
    """Suspended with facts that wait, resumed, faulted, retried, repaired; a fault after the last task."""
    run.start({"n": 1}).take(SuspendRequested("ann", "wait")).succeed("a", 1).take(ResumeRequested("ann", "go"))
    run.fail("d").take(RetryRequested("ann"))
    run.calls.pop(run.named("d")[-1].id)
    run.take(RepairRequested("ann", (run.activity("d").id,), restart=True))
    run.succeed("d", 4).fire()
    shell = run.activity("s")
    run.take(RunEnded(shell.id, shell.reference, code=3))
    run.take(RunEnded(shell.id, shell.reference, error=standard("authorization", "no")))
    run.succeed("c", "soon")


FUNCTIONS = f"""
use: {{functions: {{greet: {{do: [hello: {CALL}, text: {{set: {{text: '${{ "Hello, " + .name }}'}}}}]}}}}}}
do:
  - one: {{call: greet, with: {{name: '${{ .who }}'}}}}
  - two: {{call: 'double:1.0.0@default', with: {{n: 2}}}}
"""
DOUBLE = {"do": [{"pause": {"wait": {"minutes": 1}}}, {"double": {"set": {"n": "${ .n * 2 }"}}}]}


def functions(run: Run) -> None:
    """Within functions: one of the definition, one that is pinned."""
    run.start({"who": "Ann"}).succeed("hello", {"name": "Bea"}).fire()


STEPPED = """
do:
  - l: {for: {in: '[range(3)]'}, do: [a: {set: '${ $item }'}, b: {switch: [x: {when: 'true', then: continue}]}]}
  - f: {fork: {branches: [x: {set: '${ 1 }'}, y: {set: '${ 2 }'}]}}
"""


def stepped(run: Run) -> None:
    """As if after each activity others had their turn: the process owes itself all its steps."""
    run.start({"n": 1})


CANCELLED = f"""
do:
  - l: {{listen: {{to: {{one: {{with: {{type: a}}, correlate: {{k: {{from: .data.k}}}}}}}}}}, timeout: {{after: PT1H}}}}
  - c: {CALL}
"""


def cancelled(run: Run) -> None:
    run.start({"n": 1}).event("a", {"k": 1})
    run.take(SuspendRequested("ann")).succeed("c", 1).take(CancelRequested("ann", "enough"))


DOUBTS = f"""
do:
  - asked: {{call: http, with: {{method: post, endpoint: 'http://x'}}, metadata: {{inDoubt: ask}}}}
  - looked:
      call: http
      with: {{method: post, endpoint: 'http://x'}}
      metadata: {{inDoubt: verify, lookup: {{with: {{method: get, endpoint: 'http://y'}}, done: .done}}}}
  - again: {CALL}
  - left: {{run: {{shell: {{command: pay}}, await: false}}}}
"""


def doubts(run: Run) -> None:
    run.start({"n": 1}).doubt("asked").decide("repeat")
    call = run.calls.popitem()[1]
    answered = ActivitySucceeded(call.activity, 1, 1, Exchange(run.now, run.now, "x:80", 200))
    run.take(answered).doubt("looked").fail("looked").fire("lookup").succeed("looked", {"done": False})
    call = run.calls.popitem()[1]
    failed = ActivityFailed(call.activity, 1, standard("communication", "no"), Exchange(run.now, run.now))
    run.take(failed).take(RetryRequested("ann")).succeed("looked", 2).doubt("again").succeed("again", 3)
    run.take(CallInDoubt(run.activity("left").id, 1, run.now, "shell", reference="/do/3/left"))


WIDE = f"do: [w: {{fork: {{branches: [{{b0: {CALL}}}, {', '.join(f'{{b{n}: {{set: {{n: {n}}}}}}}' for n in range(1, 102))}]}}}}]"


def wide(run: Run) -> None:
    """A fork whose branches have not all begun: stored, faulted, retried."""
    run.start({}, drain=False).fail("b0").take(RetryRequested("ann"), drain=False)
    run.take().succeed("b0", {"n": 0})


STORED_INPUT = f"do: [c: {CALL}]"


def stored_input(run: Run) -> None:
    """An input that was stored when the process was accepted."""
    run.start_with_stored({"n": 1}).succeed("c", 2)


Script = Callable[[Run], None]

RUNS: dict[str, tuple[str, Script]] = {
    "calls": (CALLS, calls),
    "loops": (LOOPS, loops),
    "branches": (BRANCHES, branches),
    "switched": (SWITCHED, switched),
    "people": (PEOPLE, people),
    "jobs": (JOBS, jobs),
    "children": (CHILDREN, children),
    "listening": (LISTENING, listening),
    "messages": (MESSAGES, messages),
    "extended": (EXTENDED, extended),
    "undecided": (UNDECIDED, undecided),
    "operated": (OPERATED, operated),
    "cancelled": (CANCELLED, cancelled),
    "functions": (FUNCTIONS, functions),
    "stepped": (STEPPED, stepped),
    "doubts": (DOUBTS, doubts),
    "wide": (WIDE, wide),
    "stored-input": (STORED_INPUT, stored_input),
}
PINS: dict[str, dict[str, Any]] = {"functions": {"double:1.0.0@default": DOUBLE}}
ACTIVITIES_MAX = {"stepped": 1, "wide": 40}

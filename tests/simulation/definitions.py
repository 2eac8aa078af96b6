"""Random definitions with a known outcome.

Data are integers. Each piece of a definition is a list of tasks together with the function that it computes,
whatever the order in which the world answers and however often it fails on the way.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from perdure.codec import encode
from perdure.definition.loader import load
from perdure.definition.program import Program

Json = Any
Function = Callable[[int], int]
DEPTH_MAX = 4
ERRORS = "https://serverlessworkflow.io/spec/1.0.0/errors/"
LOOKUP = {
    "with": {"method": "get", "endpoint": "http://planned/made/${ $call.idempotencyKey }"},
    "done": '.state == "booked"',
    "output": "${ .value }",
}
"""How a call in doubt is looked up."""
FUNCTIONS_NESTED_MAX = 2


@dataclass
class Piece:
    tasks: list[dict[str, Json]]
    function: Function


@dataclass
class Plan:
    """A definition, and what becomes of a process of it."""

    document: Json
    function: Function
    fault: int | None
    program: Program = field(repr=False)


def plan_of(seed: int) -> Plan:
    """The definition of a seed, always the same."""
    return Author(random.Random(seed)).plan()


class Author:
    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.names = 0
        self.caught = 0
        """How many tries enclose the piece being written: within one, nothing may fail by surprise."""
        self.functions: list[tuple[Json, Function, bool]] = []
        """The functions written so far, what they compute, and whether they may be called within a try."""
        self.functions_open = 0
        """How many functions the piece being written stands in."""
        self.extensions: list[dict[str, Json]] = []

    def plan(self) -> Plan:
        body = self.sequence(0)
        fault = self.chance.randint(450, 499) if self.chance.random() < 0.1 else None
        tasks = list(body.tasks)
        if fault is not None:
            tasks.append(self.task({"raise": {"error": {"type": "http://planned/fault", "status": fault}}}))
        head = {"dsl": "1.0.3", "namespace": "simulation", "name": "planned", "version": "1.0.0"}
        document: Json = {"document": head, "do": tasks}
        if self.chance.random() < 0.3:
            self.extend()
        document["use"] = {
            "functions": {f"f{number}": function for number, (function, _, _) in enumerate(self.functions)},
            "extensions": self.extensions,
        }
        if self.chance.random() < 0.3:
            document["timeout"] = {"after": {"days": 1000}}
        program = load(encode(document), "application/json").program
        assert program is not None
        return Plan(document, body.function, fault, program)

    def task(self, body: dict[str, Json]) -> dict[str, Json]:
        self.names += 1
        if self.chance.random() < 0.1:
            body = body | {"timeout": {"after": {"days": 500}}}
        if self.chance.random() < 0.1:
            body = body | {"export": {"as": "{seen: .}"}}
        return {f"t{self.names}": body}

    def sequence(self, depth: int) -> Piece:
        pieces = [self.piece(depth) for _ in range(self.chance.randint(1, 3))]
        return Piece([task for piece in pieces for task in piece.tasks], composed(pieces))

    def piece(self, depth: int) -> Piece:
        leaves = [
            self.set,
            self.call,
            self.doubtful,
            self.doubtful,
            self.wait,
            self.emit,
            self.callback,
            self.human_task,
            self.job,
            self.listen,
            self.listen_foreach,
            self.child,
            self.map,
            self.skipped,
            self.backwards,
            self.mocked,
        ]
        composites = [
            self.do,
            self.for_,
            self.fork,
            self.race,
            self.switch,
            self.try_raise,
            self.try_retry,
            self.try_timeout,
            self.function,
        ]
        return self.chance.choice(leaves if depth >= DEPTH_MAX else leaves + composites * 2)(depth)

    def add(self) -> int:
        return self.chance.randint(-5, 5)

    # leaves

    def set(self, depth: int) -> Piece:
        add = self.add()
        return Piece([self.task({"set": f"${{ . + {add} }}"})], plus(add))

    def call(self, depth: int) -> Piece:
        add = self.add()
        breaks = self.caught == 0 and self.chance.random() < 0.05
        return Piece([self.task(http({"n": "${ . }", "add": add, "breaks": breaks}))], plus(add))

    def doubtful(self, depth: int) -> Piece:
        """A call that is not simply made again. Should a person decide that it has failed, what follows is the same."""
        add = self.add()
        policy = self.chance.choice(("ask", "verify", "verify", "blind"))
        call = self.task(http({"n": "${ . }", "add": add, "doubt": policy}))
        (name,) = call
        call[name]["metadata"] = {"inDoubt": "ask" if policy == "ask" else "verify", "lookup": LOOKUP}
        if policy == "ask":
            del call[name]["metadata"]["lookup"]
        if self.chance.random() < 0.5:
            due = {"due": {"seconds": self.chance.randint(1, 60)}, "escalateTo": ["more"]}
            call[name]["metadata"]["ask"] = {"title": "Was it made?", "candidateGroups": ["some"], **due}
        caught = {
            "errors": {"with": {"type": f"{ERRORS}communication"}},
            "do": [self.task({"set": f"${{ . + {add} }}"})],
        }
        return Piece([self.task({"try": [call], "catch": caught})], plus(add))

    def map(self, depth: int) -> Piece:
        """A child for each of some numbers, a few at once."""
        count, add = self.chance.randint(0, 4), self.add()
        process = {"namespace": "n", "name": "c", "version": "1.0.0"}
        items = f"${{ . as $n | [range({count}) | {{n: $n, add: (. + {add})}}] }}"
        order = {"items": items, "process": process, "concurrency": self.chance.randint(1, 3)}
        task = {"call": "map:1.0.0@default", "with": order, "output": {"as": "add // 0"}}
        return Piece([self.task(task)], lambda n: sum(n + number + add for number in range(count)))

    def wait(self, depth: int) -> Piece:
        return Piece([self.task({"wait": {"seconds": self.chance.randint(0, 100)}})], plus(0))

    def emit(self, depth: int) -> Piece:
        event = {"source": "http://planned", "type": "planned", "data": "${ . }"}
        return Piece([self.task({"emit": {"event": {"with": event}}, "output": {"as": ".data"}})], plus(0))

    def callback(self, depth: int) -> Piece:
        add = self.add()
        body = {"n": "${ . }", "add": add, "url": "${ $callback.url }"}
        request = {"method": "post", "endpoint": "http://planned", "body": body}
        return Piece([self.task({"call": "callback:1.0.0@default", "with": {"request": request}})], plus(add))

    def human_task(self, depth: int) -> Piece:
        add = self.add()
        question: Json = {"title": "T", "description": f"${{ . + ({add}) | tojson }}"}
        if self.chance.random() < 0.3:
            question |= {"due": {"seconds": self.chance.randint(1, 60)}, "escalateTo": ["more"]}
        task = {"call": "human-task:1.0.0@default", "with": question, "output": {"as": ".data"}}
        return Piece([self.task(task)], plus(add))

    def job(self, depth: int) -> Piece:
        add = self.add()
        breaks = self.caught == 0 and self.chance.random() < 0.05
        order = {"type": "planned", "input": {"n": "${ . }", "add": add, "breaks": breaks}}
        return Piece([self.task({"call": "job:1.0.0@default", "with": order})], plus(add))

    def listen(self, depth: int) -> Piece:
        add = self.add()
        strategy = self.chance.choice(("one", "any", "all"))
        correlate = {"k": {"from": ".data.k", "expect": "${ . }"}}
        filters = [{"with": {"type": f"planned.{add}"}, "correlate": correlate}]
        if strategy == "all":
            filters.append({"with": {"type": "planned.0"}, "correlate": correlate})
        to = {strategy: filters[0] if strategy == "one" else filters}
        task = {"listen": {"to": to}, "output": {"as": f"map(select(.add == {add}))[0] | .k + .add"}}
        return Piece([self.task(task)], plus(add))

    def listen_foreach(self, depth: int) -> Piece:
        """Collects until it has as many as it wants; each goes through tasks of its own."""
        count = self.chance.randint(1, 3)
        inner = self.call(depth) if self.chance.random() < 0.5 else self.set(depth)
        correlate = {"k": {"from": ".data.k", "expect": "${ . }"}}
        until = f"(. | length) >= {count}"
        to = {"any": [{"with": {"type": "planned.0"}, "correlate": correlate}], "until": until}
        foreach = {"do": inner.tasks, "output": {"as": ". + $item.add"}}
        task = {"listen": {"to": to}, "foreach": foreach, "output": {"as": "add"}}
        return Piece([self.task(task)], lambda n: inner.function(n) * count)

    def child(self, depth: int) -> Piece:
        add = self.add()
        workflow = {"namespace": "n", "name": "c", "version": "1.0.0", "input": {"n": "${ . }", "add": add}}
        return Piece([self.task({"run": {"workflow": workflow}})], plus(add))

    def skipped(self, depth: int) -> Piece:
        return Piece([self.task({"if": "$workflow.id == null", "set": "${ error }"})], plus(0))

    def backwards(self, depth: int) -> Piece:
        first = self.task({"set": "${ . + 1 }"})
        (name,) = first
        again = self.task({"switch": [{"again": {"when": ". % 3 != 0", "then": name}}]})
        return Piece([first, again], lambda n: n + 1 + (-(n + 1)) % 3)

    def mocked(self, depth: int) -> Piece:
        """A call that would never be answered, done by an extension instead."""
        add = self.add()
        call = self.task(http({"never": True}))
        (name,) = call
        do = {f"mock {name}": {"set": f"${{ . + {add} }}", "then": "exit"}}
        extension = {"extend": "call", "when": f'$task.name == "{name}"', "before": [do]}
        self.extensions.append({f"of {name}": extension})
        return Piece([call], plus(add))

    # composites

    def extend(self) -> None:
        """Work around tasks of some kind, of which they see nothing."""
        kind = self.chance.choice(("all", "composite", "call", "set", "for", "switch", "try", "wait", "listen", "run"))
        work = [{"set": "${ error }", "if": "false"}, {"set": {"a": "${ $task.name }"}}, {"wait": {"seconds": 1}}]
        if kind not in ("all", "composite", "for", "set"):
            work.append(http({"n": 1, "add": 1}))
        extension = {
            "extend": kind,
            "before": [{"around 1": self.chance.choice(work)}],
            "after": [{"around 2": self.chance.choice(work)}, {"around 3": {"set": {"last": True}, "then": "exit"}}],
        }
        self.extensions.insert(self.chance.randint(0, len(self.extensions)), {"around": extension})

    def function(self, depth: int) -> Piece:
        """A call of a function, one of those that are there or a new one."""
        usable = [n for n, (_, _, safe) in enumerate(self.functions) if safe or self.caught == 0]
        if usable and self.functions_open == 0 and self.chance.random() < 0.5:
            number = self.chance.choice(usable)
        else:
            if self.functions_open == FUNCTIONS_NESTED_MAX:
                return self.do(depth)
            safe = self.caught > 0
            self.functions_open += 1
            body = self.sequence(max(depth + 1, DEPTH_MAX - 1))
            self.functions_open -= 1
            number = len(self.functions)
            self.functions.append(({"input": {"from": ".n"}, "do": body.tasks}, body.function, safe))
        call = {"call": f"f{number}", "with": {"n": "${ . }"}}
        return Piece([self.task(call)], self.functions[number][1])

    def do(self, depth: int) -> Piece:
        body = self.sequence(depth + 1)
        return Piece([self.task({"do": body.tasks})], body.function)

    def for_(self, depth: int) -> Piece:
        count = self.chance.choice((0, 1, 2, 3, 30)) if depth > 1 else self.chance.randint(0, 3)
        body = self.set(depth + 1) if count == 30 else self.sequence(depth + 1)
        tail = self.task({"set": "${ . + $item }"})
        task = {"for": {"in": f"[range({count})]"}, "do": [*body.tasks, tail]}

        def function(n: int) -> int:
            for item in range(count):
                n = body.function(n) + item
            return n

        return Piece([self.task(task)], function)

    def fork(self, depth: int) -> Piece:
        branches = [self.sequence(depth + 1) for _ in range(self.chance.randint(1, 3))]
        tasks = [self.task({"do": branch.tasks}) for branch in branches]
        task = {"fork": {"branches": tasks}, "output": {"as": "add"}}
        return Piece([self.task(task)], lambda n: sum(branch.function(n) for branch in branches))

    def race(self, depth: int) -> Piece:
        """All competitors come to the same, each on its own way, so it does not matter who wins."""
        add = self.add()
        final = self.task({"set": f"${{ $input + {add} }}"})
        branches = []
        for _ in range(self.chance.randint(2, 3)):
            way = self.sequence(depth + 1)
            do = {"do": [*way.tasks, final], "output": {"as": f"$input + {add}"}}
            branches.append(self.task(do))
        return Piece([self.task({"fork": {"compete": True, "branches": branches}})], plus(add))

    def switch(self, depth: int) -> Piece:
        even, odd = self.do(depth), self.do(depth)
        (even_name,), (odd_name,) = even.tasks[0], odd.tasks[0]
        end = self.task({"set": "${ . }"})
        (end_name,) = end
        even.tasks[0][even_name]["then"] = end_name
        cases = [
            {"even": {"when": ". % 2 == 0", "then": even_name}},
            {"otherwise": {"then": odd_name}},
        ]
        tasks = [self.task({"switch": cases}), even.tasks[0], odd.tasks[0], end]
        return Piece(tasks, lambda n: even.function(n) if n % 2 == 0 else odd.function(n))

    def try_raise(self, depth: int) -> Piece:
        """What the body came to is lost with the error; the handler begins with the try's input."""
        self.caught += 1
        body = self.sequence(depth + 1)
        self.caught -= 1
        status = self.chance.randint(600, 699)
        error = self.task({"raise": {"error": {"type": "http://planned/caught", "status": status}}})
        handler = self.sequence(depth + 1)
        see = self.task({"set": "${ . + $error.status }"})
        filter_ = {"errors": {"with": {"status": status}}}
        catch = filter_ | {"do": [*handler.tasks, see]}
        task = {"try": [*body.tasks, error], "catch": catch}
        return Piece([self.task(task)], lambda n: handler.function(n) + status)

    def try_retry(self, depth: int) -> Piece:
        add, fails = self.add(), self.chance.randint(0, 3)
        self.caught += 1
        before = self.sequence(depth + 1)
        self.caught -= 1
        call = self.task(http({"n": "${ . }", "add": add, "fails": fails}))
        retry: Json = {"limit": {"attempt": {"count": 4}}}
        if self.chance.random() < 0.2:
            retry["limit"]["attempt"]["duration"] = {"days": 500}
        if self.chance.random() < 0.7:
            retry["delay"] = {"seconds": self.chance.randint(0, 5)}
            retry["backoff"] = {self.chance.choice(("constant", "linear", "exponential")): {}}
        catch = {"errors": {"with": {"status": 503}}, "retry": retry}
        task = {"try": [*before.tasks, call], "catch": catch}
        return Piece([self.task(task)], composed([before, Piece([], plus(add))]))

    def try_timeout(self, depth: int) -> Piece:
        """A call that is never answered, cut short by a timeout."""
        add = self.add()
        call = self.task(http({"never": True}))
        (name,) = call
        call[name]["timeout"] = {"after": {"seconds": self.chance.randint(1, 50)}}
        handler = {"errors": {"with": {"status": 408}}, "do": [self.task({"set": f"${{ . + {add} }}"})]}
        return Piece([self.task({"try": [call], "catch": handler})], plus(add))


def http(body: Json) -> dict[str, Json]:
    return {"call": "http", "with": {"method": "post", "endpoint": "http://planned", "body": body}}


def plus(add: int) -> Function:
    return lambda n: n + add


def composed(pieces: list[Piece]) -> Function:
    def function(n: int) -> int:
        for piece in pieces:
            n = piece.function(n)
        return n

    return function

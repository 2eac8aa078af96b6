"""Whether what the product says of why a process waits is the truth, found out by trying: of all that is recorded for
a process, one thing at a time happens in a copy of the world.
"""

import pickle
from datetime import datetime
from typing import Any
from uuid import UUID

from perdure.engine import state as states
from perdure.engine.ids import activity_id
from perdure.engine.state import ExtendedFrame
from perdure.runtime.programs import Programs
from perdure.runtime.views import WaitView, WakeUpView, WhyView

from .checks import Broken
from .memory import MemoryStore
from .outside import WHO
from .trial import Consequences, Happening, Trial

LIVE = ("pending", "running", "waiting", "suspended")


class Whys:
    """A world that stands still, and what is said of its processes."""

    def __init__(self, store: MemoryStore, now: datetime) -> None:
        self._t = store.t
        self._liveness = store.liveness
        self._world = pickle.dumps(store.t)
        base: Any = store
        self._programs = Programs(base)
        self._now = now

    async def told(self) -> list[WhyView]:
        """Of all processes that have not ended."""
        alive = sorted(id_ for id_, row in self._t.processes.items() if row.ended_at is None)
        return [await self._said(process) for process in alive]

    async def check(self, view: WhyView) -> None:
        """Raises `Broken` where it is not true, or not all of it."""
        process = view.process
        if view.total != len(view.waits):
            raise Broken(f"{process} waits for {view.total} things, told are {len(view.waits)}")
        self._all_activities(view)
        nothing = await self._try(process, None, self._now)
        for wait in view.waits:
            self._as_stored(process, wait)
            if not wait.wake_ups:
                raise Broken(f"{process}: nothing is said to end {wait}")
            for wake_up in wait.wake_ups:
                await self._moves(view, wait, wake_up, nothing)
        await self._nothing_else(view, nothing)

    async def _said(self, process: UUID) -> WhyView:
        trial = Trial(self._world, process, self._programs)
        return await trial.service.why(WHO, process)

    async def _try(
        self, process: UUID, happening: Happening | None, at: datetime, *, inbox: bool = False
    ) -> Consequences:
        trial = Trial(self._world, process, self._programs)
        return await trial.come_of(happening, max(at, self._now), inbox=inbox)

    # what is said, against what is stored

    def _all_activities(self, view: WhyView) -> None:
        """Each activity that encloses no other has a wait of its own, and no other activity's is told."""
        rows, parents = self._t.activities.get(view.process, {}), self._parents(view)
        live = {id_ for id_, row in rows.items() if row.status in LIVE}
        leaves = live - {parents[id_] for id_ in (*live, *self._unseen(view))}
        told = {wait.activity for wait in view.waits}
        if missing := leaves - told:
            raise Broken(f"{view.process}: nothing is said of {[rows[id_].reference for id_ in missing]}")
        for wait in view.waits:
            if wait.activity == view.process:
                assert wait.reference == "/"
            elif wait.activity in rows and (
                wait.activity not in live or wait.reference != rows[wait.activity].reference
            ):
                raise Broken(f"{view.process}: {wait} is of no activity that lives")

    def _unseen(self, view: WhyView) -> dict[UUID, ExtendedFrame]:
        """Extended tasks that have not begun, by the ids that their activities will have: nothing else is known yet."""
        rows, state = self._t.activities.get(view.process, {}), self._t.processes[view.process].state
        frames = [] if state is None else states.decode(state).frames
        extended = [frame for frame in frames if isinstance(frame, ExtendedFrame)]
        return {
            wait.activity: next(f for f in extended if activity_id(f.id, wait.reference, 0, f.round) == wait.activity)
            for wait in view.waits
            if wait.activity not in (*rows, view.process)
        }

    def _parents(self, view: WhyView) -> dict[UUID, UUID | None]:
        """What encloses each activity."""
        found = {id_: row.parent for id_, row in self._t.activities.get(view.process, {}).items()}
        state = self._t.processes[view.process].state
        frames = {} if state is None else {frame.order: frame for frame in states.decode(state).frames}
        for id_, frame in self._unseen(view).items():
            at = frames.get(frame.parent)
            while isinstance(at, ExtendedFrame):
                at = frames.get(at.parent)
            found[id_] = None if at is None else at.id
        return found

    def _as_stored(self, process: UUID, wait: WaitView) -> None:
        """Times and states are those of the rows."""
        t = self._t
        if wait.since > self._now:
            raise Broken(f"{process}: {wait} is since a time to come")
        unanswered = wait.reason == "callback" and wait.activity in t.calls
        if ("has not been answered yet" in wait.sentence) != unanswered:
            raise Broken(f"{process}: {wait} is wrong about its request")
        for one in wait.wake_ups:
            stored: Any = None
            match one.kind:
                case "timer":
                    due = t.timers[process, UUID(one.id)][0]
                    stored = ("set", due)
                    if wait.until != due:
                        raise Broken(f"{process}: {wait} is over at {due}")
                case "call":
                    call = t.calls[wait.activity]
                    taken = call.lease_token is not None and call.lease_until > self._now
                    stored = ("performing" if taken else "queued", call.lease_until)
                case "job":
                    stored = (t.jobs[wait.activity].state, t.jobs[wait.activity].due)
                case "human-task":
                    stored = (t.human_tasks[wait.activity].status, t.human_tasks[wait.activity].due)
                case "child":
                    stored = (t.processes[UUID(one.id)].status, None)
                case _:
                    continue
            if (one.state, one.at) != stored:
                raise Broken(f"{process}: {one} is {stored}")

    # what is said, against what comes of it

    async def _moves(self, view: WhyView, wait: WaitView, wake_up: WakeUpView, nothing: Consequences) -> None:
        """The activity that waits moves when this alone happens."""
        process, unseen = view.process, self._unseen(view).get(wait.activity)
        moving = wait.activity if unseen is None else unseen.id
        if wake_up.kind == "step":
            before = self._as_it_is(process)
            outcomes = [await self._try(process, None, self._now, inbox=True)]
        else:
            before = nothing
            outcomes = [await self._try(process, what, at) for what, at in self._happenings(process, wake_up)]
        if all(after.of(moving) == before.of(moving) for after in outcomes):
            raise Broken(f"{process}: {wait} is not ended by {wake_up}")

    def _as_it_is(self, process: UUID) -> Consequences:
        return Consequences(process, [], self._t.processes[process].state)

    def _happenings(self, process: UUID, wake_up: WakeUpView) -> list[tuple[Happening, datetime]]:
        """What it would be if this came to pass, and when."""
        t, id_ = self._t, UUID(wake_up.id)
        match wake_up.kind:
            case "timer":
                return [(lambda trial: trial.fire(id_), t.timers[process, id_][0])]
            case "call":
                return [(lambda trial: trial.answer(id_), self._now)]
            case "subscription":
                types = sorted({row.type for row in t.subscriptions[process, id_] if row.type})
                return [(lambda trial, x=type_: trial.send(id_, x), self._now) for type_ in types]
            case "human-task":
                return [(lambda trial: trial.decide(id_), self._now)]
            case "callback":
                return [(lambda trial: trial.call_back(id_), self._now)]
            case "job":
                due = t.jobs[id_].due
                at = due if due is not None and t.jobs[id_].state == "delayed" else self._now
                return [(lambda trial: trial.do_job(id_), at)]
            case "child":
                return [(lambda trial: trial.end_child(id_), self._now)]
            case kind:
                raise Broken(f"{process}: there is no wake-up {kind}")

    # what is not said

    async def _nothing_else(self, view: WhyView, nothing: Consequences) -> None:
        """All that is recorded is told: as what ends a wait, or else as its timeout."""
        process = view.process
        told = {(one.kind, UUID(one.id)) for wait in view.waits for one in wait.wake_ups}
        first: dict[int, datetime] = {}
        for kind, id_ in sorted(self._liveness.standing_of(process).recorded - told, key=str):
            if kind == "call" and self._t.calls[id_].detached:
                continue  # nobody awaits it
            if kind == "child":  # perhaps it is about to be cancelled, and nobody waits for it
                ended = await self._try(process, lambda trial, x=id_: trial.end_child(x), self._now)
                if ended.same_as(nothing):
                    continue
            if kind != "timer":
                raise Broken(f"{process}: nothing is said of its {kind} {id_}")
            due = self._t.timers[process, id_][0]
            after = await self._try(process, lambda trial, x=id_: trial.fire(x), due)
            for number in self._ended_by(view, after, nothing, due):
                first[number] = min(due, first.get(number, due))
        for number, wait in enumerate(view.waits):
            if wait.times_out_at != first.get(number) and not await self._is_timing_out(process, wait):
                raise Broken(f"{process}: {wait} times out at {first.get(number)}")

    async def _is_timing_out(self, process: UUID, wait: WaitView) -> bool:
        """Its timeout has fired, and is to be taken in."""
        if wait.times_out_at is None or wait.times_out_at > self._now:
            return False
        after = await self._try(process, None, self._now, inbox=True)
        return bool(after.of(wait.activity) != self._as_it_is(process).of(wait.activity))

    def _ended_by(self, view: WhyView, after: Consequences, nothing: Consequences, due: datetime) -> list[int]:
        """The waits that this timer ends before they come to anything, by their numbers."""
        fired = after.fired()
        if fired is None:
            raise Broken(f"{view.process}: a timer is set that does nothing")
        owner, purpose = fired
        if purpose == "due":  # only makes a person late
            if not any(wait.activity == owner and wait.until == due for wait in view.waits):
                raise Broken(f"{view.process}: nothing is said of when {owner} is due")
            return []
        unseen, parents = self._unseen(view), self._parents(view)
        beneath = [n for n, wait in enumerate(view.waits) if owner in self._enclosing(view, wait.activity)]
        for number in beneath:
            activity = view.waits[number].activity
            if activity in unseen:
                activity = parents[activity] or view.process
            moves_anyway = nothing.of(activity) != self._as_it_is(view.process).of(activity)
            if after.of(activity) == nothing.of(activity) and not moves_anyway:
                raise Broken(f"{view.process}: the timeout of {owner} does not end {view.waits[number]}")
        return beneath

    def _enclosing(self, view: WhyView, activity: UUID) -> list[UUID]:
        """The activity, those that enclose it, and the process."""
        found, parents = [view.process], self._parents(view)
        at: UUID | None = None if activity == view.process else activity
        while at is not None:
            found.append(at)
            at = parents[at]
        return found

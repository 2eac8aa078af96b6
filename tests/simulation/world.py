"""A world that answers a process in random order, twice, late, and interrupts it."""

import random
from datetime import timedelta
from typing import Any
from uuid import UUID

from definitions import Plan
from driver import ENDED, Run

from perdure.engine.effects import OpenJob, PerformCall, SetTimer
from perdure.engine.errors import Error, standard
from perdure.engine.facts import (
    ActivityFailed,
    ActivitySucceeded,
    AnyFact,
    CallbackReceived,
    CallInDoubt,
    CancelRequested,
    ChildEnded,
    EventReceived,
    HumanTaskCompleted,
    JobCompleted,
    JobFailed,
    JobLeased,
    JobReturned,
    ResumeRequested,
    RetryRequested,
    SuspendRequested,
    TimerFired,
)

TURNS_MAX = 20_000
BREAKS = "breaks"
FAR_OFF = timedelta(days=100)


class World:
    def __init__(self, plan: Plan, seed: int) -> None:
        self.chance = random.Random(f"world {seed}")
        self.run = Run(plan.program, activities_max=self.chance.choice((1, 3, 10, 200)))
        self.past: list[AnyFact] = []
        """Facts that may come again."""
        self.failures: dict[UUID, int] = {}
        self.doubted: dict[UUID, Any] = {}
        """Bodies of calls that were in doubt."""
        self.events = 0
        self.batch: list[AnyFact] = []

    def live(self, input_: int, *, cancel_after: int | None = None) -> Run:
        """Start a process and let it live to its end."""
        self.run.start(input_, drain=False)
        for turn in range(TURNS_MAX):
            if turn == cancel_after:
                self.flush()
                if self.run.status not in ENDED:
                    self.run.take(CancelRequested("operator"), drain=False)
            if self.run.status in ENDED and not self._retry():
                break
            self._turn()
        else:
            raise AssertionError(f"not ended after {TURNS_MAX} turns; it waits for {self.run.open}")
        self._haunt()
        return self.run

    def flush(self) -> None:
        """Let what has gathered happen in one step."""
        facts, self.batch = self.batch, []
        self.run.take(*facts, drain=False)

    def _turn(self) -> None:
        dice = self.chance.random()
        if self.run.step.more and (dice < 0.5 or not self._open()):
            self.flush()
            return
        if self.run.status == "suspended":
            if dice < 0.3 or not self._open():
                self.batch.append(ResumeRequested("operator"))
                self.flush()
                return
        elif dice < 0.02:
            self.batch.append(SuspendRequested("operator"))
            self.flush()
            return
        if self.past and dice > 0.9:
            self._again(self.chance.choice(self.past))
        else:
            self._answer()
        if self.chance.random() < 0.7:
            self.flush()

    def _retry(self) -> bool:
        error = self.run.step.error
        if self.run.status != "faulted" or error is None or error.title != BREAKS:
            return False
        self.run.take(RetryRequested("operator"), drain=False)
        return True

    def _haunt(self) -> None:
        """Everything once more, after the end: nothing may come of it but refusals."""
        state, status = self.run.state, self.run.status
        facts = self.chance.sample(self.past, min(len(self.past), 20))
        for fact in facts:
            before = len(self.run.refusals())
            self.run.take(fact)
            assert len(self.run.refusals()) == before + 1
        assert (self.run.state, self.run.status) == (state, status)

    def _open(self) -> list[Any]:
        run = self.run
        calls = [call for call in run.calls.values() if not self._never(call)]
        return [
            *calls,
            *run.human_tasks.values(),
            *run.callbacks.values(),
            *(job for job in run.jobs.values() if job.activity not in run.held),
            *run.children.values(),
            *run.subscriptions.values(),
            *self._timers(),
        ]

    def _timers(self) -> list[SetTimer]:
        """Timers that the world gets to see; the others only limit what comes well before them."""
        return [timer for timer in self.run.timers.values() if timer.due - self.run.now < FAR_OFF]

    def _never(self, call: PerformCall) -> bool:
        """A call that is not answered: the timeout that cuts it short is what is tried."""
        return bool(call.request.get("body", {}).get("never"))

    def _again(self, fact: AnyFact) -> None:
        """An answer that comes once more; it counts if its activity has asked anew meanwhile."""
        activity = getattr(fact, "activity", None)
        run = self.run
        match fact:
            case ActivitySucceeded() | ActivityFailed() | CallInDoubt():
                if activity in run.calls and run.calls[activity].attempt == fact.attempt:
                    return
            case JobCompleted() | JobFailed() | JobLeased() | JobReturned():
                if activity in run.jobs and run.jobs[activity].attempt == fact.attempt:
                    return
            case HumanTaskCompleted() | CallbackReceived():
                if activity in run.human_tasks or activity in run.callbacks:
                    return
        self.batch.append(fact)

    def _answer(self) -> None:
        open_ = self._open()
        if not open_:
            self.flush()
            return
        timers = self._timers()
        choice = self.chance.choice(open_)
        if choice in timers:
            choice = min(timers, key=lambda timer: (timer.due, timer.timer))
        fact = self._fact(choice)
        if fact is not None:
            self.batch.append(fact)
            if not isinstance(fact, EventReceived):
                self.past.append(fact)

    def _fact(self, asked: Any) -> AnyFact | None:
        run = self.run
        match type(asked).__name__:
            case "SetTimer":
                del run.timers[asked.timer]
                run.now = max(run.now, asked.due)
                return TimerFired(asked.timer)
            case "PerformCall":
                del run.calls[asked.activity]
                return self._looked_up(asked) if asked.lookup else self._result(asked)
            case "OpenHumanTask":
                del run.human_tasks[asked.activity]
                if "repeat" in asked.outcomes:
                    return self._decision(asked.activity)
                output = {"outcome": "approved", "data": int(asked.description)}
                return HumanTaskCompleted(asked.activity, output, "person")
            case "OpenCallback":
                return self._callback(asked.activity)
            case "OpenJob":
                return self._job(asked)
            case "StartChild":
                del run.children[asked.child]
                output = asked.input["n"] + asked.input["add"]
                return ChildEnded(asked.activity, asked.child, "completed", output)
            case "Subscribe":
                return self._event(asked)
            case kind:
                raise AssertionError(kind)

    def _looked_up(self, call: PerformCall) -> AnyFact:
        """It was made, was not, or nobody can tell."""
        dice, body = self.chance.random(), self.doubted[call.activity]
        if dice < 0.6:
            error = standard("communication", "no", status=404 if dice < 0.2 else 503)
            return ActivityFailed(call.activity, call.attempt, error, lookup=call.lookup)
        found = {"state": "booked" if dice < 0.8 else "unknown", "value": body["n"] + body["add"]}
        return ActivitySucceeded(call.activity, call.attempt, found, lookup=call.lookup)

    def _decision(self, activity: UUID) -> AnyFact:
        """What a person says of a call in doubt."""
        body = self.doubted[activity]
        output = {"outcome": self.chance.choice(("done", "repeat", "fail")), "data": body["n"] + body["add"]}
        return HumanTaskCompleted(activity, output, "person")

    def _result(self, call: PerformCall) -> AnyFact | None:
        body = call.request["body"]
        if body.get("doubt") and self.chance.random() < 0.5:
            self.doubted[call.activity] = body
            return CallInDoubt(call.activity, call.attempt, self.run.now, call.function, call.request)
        failed = self.failures.get(call.activity, 0)
        if body.get("breaks") and failed < 1:
            self.failures[call.activity] = failed + 1
            return ActivityFailed(call.activity, call.attempt, Error("http://planned/breaks", 500, BREAKS))
        if failed < body.get("fails", 0):
            self.failures[call.activity] = failed + 1
            return ActivityFailed(call.activity, call.attempt, standard("communication", "no", status=503))
        return ActivitySucceeded(call.activity, call.attempt, body["n"] + body["add"])

    def _job(self, job: OpenJob) -> AnyFact:
        """A worker takes it, loses it, fails or does it."""
        run, who = self.run, ("worker", "key")
        dice = self.chance.random()
        if dice < 0.2:
            return JobLeased(job.activity, job.attempt, 1, *who, run.now + timedelta(seconds=10))
        if dice < 0.3:
            return JobReturned(job.activity, job.attempt, 1, *who, "lease-ended")
        del run.jobs[job.activity]
        body = run.value(job.input)
        failed = self.failures.get(job.activity, 0)
        if body.get("breaks") and failed < 1:
            self.failures[job.activity] = failed + 1
            return JobFailed(job.activity, job.attempt, 1, Error("http://planned/breaks", 500, BREAKS), *who)
        return JobCompleted(job.activity, job.attempt, 1, body["n"] + body["add"], *who)

    def _callback(self, activity: UUID) -> AnyFact | None:
        """The callback comes with what its request asked for, which the world may not have seen yet."""
        run = self.run
        request = next(
            effect.request
            for step in reversed(run.steps)
            for effect in step.effects
            if isinstance(effect, PerformCall) and effect.activity == activity
        )
        del run.callbacks[activity]
        return CallbackReceived(activity, request["body"]["n"] + request["body"]["add"])

    def _event(self, subscription: Any) -> AnyFact:
        """One that fits, or one that does not."""
        self.events += 1
        pattern = self.chance.choice(subscription.patterns)
        expected = pattern.values[0]
        off = self.chance.random() < 0.3
        data = {"k": expected + 1 if off else expected, "add": int(pattern.type.removeprefix("planned."))}
        event = {"specversion": "1.0", "id": str(self.events), "source": "/w", "type": pattern.type, "data": data}
        return EventReceived(subscription.activity, event)

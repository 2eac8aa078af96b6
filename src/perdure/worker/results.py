"""What calls lead to, as facts: their results, and that nobody knows whether they were made."""

from datetime import timedelta

import structlog

from perdure import clock, telemetry
from perdure.activities.contract import TRACE, Call, CallFailed, Performer, Postponed, Trace, Unwanted
from perdure.codec import Json
from perdure.engine.errors import Error, standard
from perdure.engine.facts import ActivityFailed, ActivitySucceeded, CallInDoubt, Exchange, RunEnded
from perdure.store.contract import Store, StoreUnavailable
from perdure.store.facts import encode_fact
from perdure.store.records import LeasedCall

log = structlog.get_logger("perdure.calls")

RECORD_AGAIN_SECONDS = 0.5


async def result_of(performer: Performer, call: Call, leased: LeasedCall) -> bytes:
    """The encoded fact that the call leads to, whatever happens: no call may stay without a result.

    Raises `Postponed` for one that was not made, `Unwanted` where there is nothing to report.
    """
    trace, begun = Trace(), clock.monotonic()
    TRACE.set(trace)
    fact: ActivitySucceeded | ActivityFailed
    try:
        with telemetry.call_in_flight(call.function, unmade=Postponed):
            output: Json = await performer.perform(call)
        fact = ActivitySucceeded(call.activity, call.attempt, output, _exchange(leased, trace, begun), leased.lookup)
    except (Unwanted, Postponed):
        raise
    except Exception as failure:
        error = _error_of(call, failure)
        fact = ActivityFailed(call.activity, call.attempt, error, _exchange(leased, trace, begun), leased.lookup)
    return encode_fact(_run_ended(call, fact) if leased.detached else fact)


async def record_doubt(store: Store, leased: LeasedCall) -> bool:
    """Tell the process that whoever had the call before is gone, and nobody knows whether it was made.

    Unless it is just to be made again, it is nobody's from then on. False where it is not held any more.
    """
    assert leased.lost_at is not None
    retry = leased.in_doubt == "retry"
    fact = CallInDoubt(
        leased.activity,
        leased.attempt,
        leased.lost_at,
        leased.function,
        None if retry else leased.request,
        leased.reference if leased.detached else None,
    )
    told = await _surely(store, leased, encode_fact(fact))
    if told:
        log.warning(
            "a call is in doubt: whoever made it is gone",
            process_id=str(leased.process),
            activity_id=str(leased.activity),
            decision=leased.in_doubt,
        )
    return told


async def _surely(store: Store, leased: LeasedCall, fact: bytes) -> bool:
    while True:
        try:
            if leased.in_doubt == "retry":
                return await store.record_of_call(leased, [fact], None) is not None
            return await store.give_up_call(leased, fact)
        except StoreUnavailable as error:
            log.warning("a call in doubt could not be recorded; trying again", reason=str(error))
            await clock.sleep(RECORD_AGAIN_SECONDS)


def _error_of(call: Call, failure: Exception) -> Error:
    if isinstance(failure, CallFailed):
        return failure.error
    log.error(
        "a call could not be performed",
        process_id=str(call.process),
        activity_id=str(call.activity),
        exc_info=failure,
    )
    return standard("runtime", f"the call of {call.function} could not be performed by this platform")


def _exchange(leased: LeasedCall, trace: Trace, begun: float) -> Exchange:
    """Times by the database's clock, from when the lease began."""
    answered = clock.monotonic()
    sent = begun if trace.sent is None else trace.sent
    sent_at = leased.sent_at + timedelta(seconds=sent - begun)
    return Exchange(sent_at, sent_at + timedelta(seconds=answered - sent), trace.by, trace.status)


def _run_ended(call: Call, fact: ActivitySucceeded | ActivityFailed) -> RunEnded:
    if isinstance(fact, ActivityFailed):
        return RunEnded(call.activity, call.reference, error=fact.error)
    code = fact.output.get("code") if isinstance(fact.output, dict) else None
    return RunEnded(call.activity, call.reference, code=code)

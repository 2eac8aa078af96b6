"""What a process waits for, in sentences for people. Times are in UTC, and as near as they are told from now."""

from collections.abc import Sequence
from datetime import datetime

from perdure.codec import Json
from perdure.engine.errors import Error
from perdure.engine.step import Waiting
from perdure.store.liveness import Line, Recorded


def of_wait(
    wait: Waiting, recorded: Sequence[Recorded], answered: Line | None, error: Error | None, now: datetime
) -> str:
    """`answered` is the line about the answer to the request of a callback; `error` is what a retry follows."""
    first = recorded[0] if recorded else None
    told = [f"Waiting since {at(wait.since, now)} {_for(wait, recorded, error, now)}"]
    if first is not None:
        told += _state(first, now)
    if answered is not None:
        told.append(_answer(answered, now))
    elif wait.reason == "callback" and any(one.kind == "call" for one in recorded):
        told.append("its request has not been answered yet")
    if wait.times_out_at is not None:
        told.append(f"times out {at(wait.times_out_at, now)}")
    if not recorded:
        told.append("nothing is recorded that would end it: run perdure doctor")
    return "; ".join(told) + "."


def of_waits(sentences: Sequence[str], total: int) -> str:
    """One sentence for the process, from those of what it waits for."""
    more = total - 1
    return sentences[0] if not more else f"{sentences[0]} And {more} more."


def of_end(status: str, ended_at: datetime, error: Error | None, now: datetime) -> str:
    when = at(ended_at, now)
    if error is None:
        return f"It has {status} {when}; nothing more will happen." if status == "completed" else _cancelled(when)
    where = f" at {error.instance}" if error.instance and error.instance != "/" else ""
    return f"It has faulted {when}{where}: {_short(error)}. perdure retry lets it go on there."


def of_suspended(line: Line | None, facts: int, now: datetime) -> str:
    """`line` is that of the suspension."""
    who, when, why = "", "", ""
    if line is not None:
        who, when = f" by {line.actor}", f" {at(line.at, now)}"
        reason = line.data.get("reason") if isinstance(line.data, dict) else None
        why = f" ({reason})" if reason else ""
    kept = f" {facts} facts that came meanwhile act then." if facts > 1 else ""
    kept = " One fact that came meanwhile acts then." if facts == 1 else kept
    return f"Suspended{who}{when}{why}: nothing new begins until perdure resume.{kept}"


def of_facts(facts: int, since: datetime, now: datetime) -> str:
    """Something has happened to it that it has not taken in. `since` lies ahead where that was tried and failed."""
    what = "what has happened to it" if facts <= 1 else f"{facts} things that have happened to it"
    if since > now:
        return f"No worker could take in {what}: their log says why. It is tried again {at(since, now)}."
    return f"Waiting since {at(since, now)} for a worker to take in {what}."


def at(moment: datetime, now: datetime) -> str:
    """``14:02:11``, ``tomorrow 14:02``, ``2026-12-03 14:02``, all in UTC."""
    days = (moment.date() - now.date()).days
    if days == 0:
        return f"{moment:%H:%M:%S} UTC"
    named = {1: "tomorrow", -1: "yesterday"}.get(days)
    return f"{named or format(moment, '%Y-%m-%d')} {moment:%H:%M} UTC"


def _for(wait: Waiting, recorded: Sequence[Recorded], error: Error | None, now: datetime) -> str:
    details: Json = recorded[0].details if recorded else {}
    where = wait.reference
    match wait.reason:
        case "step":
            return f"for a worker to begin {where}" if where != "/" else "for a worker to begin it"
        case "timer":
            until = "" if wait.until is None else f" until {at(wait.until, now)}"
            return f"at {where}{until}" if where != "/" else f"for its start{until}"
        case "retry":
            when = "" if wait.until is None else f" {at(wait.until, now)}"
            return f"to try {where} again{when}" + ("" if error is None else f", after {_short(error)}")
        case "call":
            attempt = details.get("attempt", 1)
            nth = "" if attempt == 1 else f", attempt {attempt}"
            return f"for the {details.get('function', 'call')} of {where} to be answered{nth}"
        case "event":
            types = [type_ for type_ in details.get("types") or () if type_]
            kinds = f" of type {' or '.join(types)}" if types else ""
            return f"for an event{kinds} at {where}"
        case "human-task":
            title = details.get("title")
            return f"for a person to decide {where}" + (f" ({title})" if title else "")
        case "callback":
            return f"for the callback of {where}"
        case "job":
            type_ = details.get("type")
            return f"for an external worker to do the job {type_ or ''} of {where}".replace("  ", " ")
        case "child":
            many = f" and {len(recorded) - 1} more" if len(recorded) > 1 else ""
            name = f" ({details['namespace']}/{details['name']})" if "name" in details else ""
            return f"for the process {details.get('process', '')}{name}{many} of {where} to end".replace("  ", " ")
        case reason:
            return f"for {reason} of {where}"


def _state(first: Recorded, now: datetime) -> list[str]:
    details, until = first.details, "" if first.at is None else f" until {at(first.at, now)}"
    match first.kind, first.state:
        case "call", "performing":
            return [f"a worker has it{until} at least"]
        case "call", _:
            return ["no worker has taken it yet"]
        case "human-task", "claimed":
            due = [] if first.at is None else [f"due {at(first.at, now)}"]
            return [f"{details['assignee']} has it", *due]
        case "human-task", _:
            asked = [*details["assignees"], *(f"group {group}" for group in details["candidateGroups"])]
            due = [] if first.at is None else [f"due {at(first.at, now)}"]
            return [f"open to {', '.join(asked) if asked else 'everybody'}", *due]
        case "job", "leased":
            return [f"{details['worker']} has it{until}"]
        case "job", "delayed":
            return [f"it is offered again {at(first.at, now)}"] if first.at is not None else []
        case "job", _:
            return [
                "it is held while the process is suspended" if details["held"] else "no worker has asked for it yet"
            ]
        case "child", status:
            return [f"which is {status}"]
        case "step", "held":
            return ["which it does after perdure resume"]
        case _:
            return []


def _answer(line: Line, now: datetime) -> str:
    data = line.data if isinstance(line.data, dict) else {}
    status, by = data.get("status"), data.get("by")
    return f"its request was answered {f'{status} ' if status else ''}{f'by {by} ' if by else ''}{at(line.at, now)}"


def _short(error: Error) -> str:
    said = error.detail or error.title or error.type
    return f"{said} ({error.status})" if error.status else said


def _cancelled(when: str) -> str:
    return f"It was cancelled {when}; nothing more will happen."

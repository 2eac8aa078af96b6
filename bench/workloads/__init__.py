"""What can be measured, by name, in the order in which it is: what leaves much behind comes last."""

from bench.stand import Workload
from bench.workloads.calls import calls
from bench.workloads.events import events
from bench.workloads.expressions import expressions
from bench.workloads.history import history
from bench.workloads.idle import idle
from bench.workloads.jobs import jobs
from bench.workloads.parked import parked
from bench.workloads.payload import payload
from bench.workloads.peer import peer
from bench.workloads.recover import recover
from bench.workloads.sequence import sequence
from bench.workloads.start import start
from bench.workloads.widths import fork, loop, map_

WORKLOADS: dict[str, Workload] = {
    "idle": idle,
    "sequence": sequence,
    "calls": calls,
    "expressions": expressions,
    "fork": fork,
    "loop": loop,
    "map": map_,
    "payload": payload,
    "start": start,
    "jobs": jobs,
    "recover": recover,
    "events": events,
    "peer": peer,
    "parked": parked,
    "history": history,
}

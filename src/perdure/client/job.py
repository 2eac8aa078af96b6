"""A job as its handler sees it."""

from collections.abc import Callable
from typing import Generic, TypeVar

from perdure.client.errors import JobLost
from perdure.client.models import JobData, Json

Input = TypeVar("Input")


class Job(Generic[Input]):
    """Work that a process waits for. It is this worker's for as long as the heartbeats, which go by themselves,
    reach the platform."""

    def __init__(self, data: JobData, input_: Input, report: Callable[[Json], None]) -> None:
        self.data = data
        """The job as the API gave it out."""
        self.input = input_
        """What the definition hands over, decoded."""
        self.lost = False
        """Whether the job is no longer this worker's. Functions that run in a thread look here, or call `check`."""
        self._report = report

    @property
    def id(self) -> str:
        """The job's id, which is its activity's."""
        return self.data["id"]

    @property
    def process(self) -> str:
        """The id of the process that waits for the job."""
        return self.data["process"]

    @property
    def activity(self) -> str:
        """The id of the activity that waits for the job."""
        return self.data["activity"]

    @property
    def type(self) -> str:
        return self.data["type"]

    @property
    def attempt(self) -> int:
        """1 for the first try; every further one is one more."""
        return self.data["attempt"]

    @property
    def idempotency_key(self) -> str:
        """``PROCESS-ID/ACTIVITY-ID``, the same in every try: give it to the systems that you call."""
        return self.data["idempotencyKey"]

    @property
    def traceparent(self) -> str:
        """W3C Trace Context, for the calls that you make."""
        return self.data["traceparent"]

    def progress(self, value: Json) -> None:
        """Tell how far it is: any JSON value of up to 4 KiB, shown with the activity. Returns at once; of several
        reports in short order the last is sent. May be called from any thread."""
        self._report(value)

    def check(self) -> None:
        """Raise `JobLost` where the job is no longer this worker's."""
        if self.lost:
            raise JobLost(f"the job {self.id} is no longer this worker's")

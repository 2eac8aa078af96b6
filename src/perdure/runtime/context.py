"""What every part of the runtime works with: the contracts below it, and what it knows of where it runs."""

from dataclasses import dataclass, field

from perdure.activities.contract import Fetcher
from perdure.broker.contract import Broker
from perdure.coordination.contract import Coordinator
from perdure.engine.step import Environment, Limits
from perdure.expressions.contract import Evaluator
from perdure.runtime.programs import Programs
from perdure.secrets import Secrets
from perdure.settings import Settings
from perdure.store.contract import Store


@dataclass(frozen=True, slots=True)
class Context:
    """One per service process. `limits` bound a single step."""

    store: Store
    broker: Broker
    coordinator: Coordinator
    evaluator: Evaluator
    secrets: Secrets
    settings: Settings
    environment: Environment
    programs: Programs
    fetcher: Fetcher
    limits: Limits = field(default_factory=Limits)
    replica: Store | None = None
    """To be read only, and a little late."""

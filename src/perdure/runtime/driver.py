"""Answers what the engine asks for in the middle of a step."""

from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Any, TypeAlias, assert_never

from perdure.codec import Json
from perdure.engine.asks import Ask, AskFailed, Evaluate, Load
from perdure.engine.refs import Key
from perdure.engine.step import Step
from perdure.expressions.contract import Evaluator, NotInline

Advance: TypeAlias = Generator[Ask, Any, Step]
Loader: TypeAlias = Callable[[Sequence[Key]], Awaitable[dict[Key, Json]]]


class Drive:
    """One step under way.

    Most steps end in `run_inline`, which never waits; what is left needs an expression from the sandbox or a
    stored payload, and goes on in `run`.
    """

    def __init__(self, advance: Advance, evaluator: Evaluator, load: Loader) -> None:
        self._advance = advance
        self._evaluator = evaluator
        self._load = load
        self._open: Ask | None = None

    def run_inline(self) -> Step | None:
        """The step, or None where it can't go on without waiting."""
        return self._go_on(None, None)

    async def run(self) -> Step:
        """The step, after `run_inline` answered None."""
        while True:
            assert self._open is not None
            try:
                answer = await self._answer(self._open)
            except AskFailed as failure:
                step = self._go_on(None, failure)
            else:
                step = self._go_on(answer, None)
            if step is not None:
                return step

    def close(self) -> None:
        """Give the step up: nothing of it has happened."""
        self._advance.close()

    def _go_on(self, answer: Any, failure: AskFailed | None) -> Step | None:
        try:
            while True:
                ask = self._advance.throw(failure) if failure else self._advance.send(answer)
                failure = None
                if isinstance(ask, Load):
                    self._open = ask
                    return None
                try:
                    answer = self._evaluator.evaluate_inline(ask)
                except NotInline:
                    self._open = ask
                    return None
                except AskFailed as failed:
                    failure = failed
        except StopIteration as stop:
            step: Step = stop.value
            return step

    async def _answer(self, ask: Ask) -> Any:
        match ask:
            case Evaluate():
                return await self._evaluator.evaluate(ask)
            case Load(keys):
                return await self._load(keys)
            case _:
                assert_never(ask)

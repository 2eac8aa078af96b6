"""Finding what a definition needs from outside its document, so that it can be pinned (see `definition.pins`).

Functions may need further functions, so this goes on until nothing new is needed. What can't be found or used is a
warning that says why: the definition is registered without it, and registering it again tries again.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from perdure.activities.contract import CallFailed, Fetched, Fetcher
from perdure.codec import Json, decode
from perdure.definition import catalogs, document, functions, pins, schemas
from perdure.definition.pins import FUNCTION, SCHEMA, Need, Pin
from perdure.definition.problems import DefinitionInvalid, DefinitionUndecodable, Problem
from perdure.definition.template import variables_of
from perdure.definition.uses import Uses
from perdure.expressions.contract import Evaluator
from perdure.store.contract import Store

PINS_MAX = 200
"""How much one definition may need from outside, functions of functions included."""

FETCHES_CONCURRENCY_MAX = 8
SECONDS_MAX = 60.0
"""How long a registration looks; what was not found by then is a warning."""

_PROBLEMS_SHOWN_MAX = 3


class Missing(Exception):
    """Something can't be had; the message says why, and what to do if that is clear."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where to look. Without `fetcher` only in the default catalog, whose functions are known to be right."""

    store: Store
    fetcher: Fetcher | None = None
    evaluator: Evaluator | None = None


@dataclass(slots=True)
class Findings:
    found: list[Pin] = field(default_factory=list)
    """What was not known before. The ordinals are to be given yet."""
    warnings: list[Problem] = field(default_factory=list)


async def find(sources: Sources, tenant: str, uses: Uses, needs: Sequence[Need], known: Sequence[Pin]) -> Findings:
    """What a definition that declares `uses` needs, beyond what is `known` already."""
    search = _Search(sources, tenant, uses, known)
    try:
        async with asyncio.timeout(SECONDS_MAX):
            await search.run(needs)
    except TimeoutError:
        search.give_up(f"it was not found within {SECONDS_MAX:g} seconds")
    return search.findings


class _Search:
    def __init__(self, sources: Sources, tenant: str, uses: Uses, known: Sequence[Pin]) -> None:
        self._sources = sources
        self._tenant = tenant
        self._uses = uses
        self._known = {(pin.kind, pin.key): pin for pin in known}
        self._open: list[Need] = []
        self._met: set[tuple[str, str]] = set()
        self._slots = asyncio.Semaphore(FETCHES_CONCURRENCY_MAX)
        self.findings = Findings()

    async def run(self, needs: Sequence[Need]) -> None:
        """Find these, then what they need, and so on."""
        self._want(needs)
        while self._open:
            wave = list(self._open)
            results = await asyncio.gather(*(self._one(need) for need in wave))
            self._open.clear()
            for need, result in zip(wave, results, strict=True):
                if isinstance(result, Missing):
                    self._warn(need, str(result))
                    continue
                pin, further = result
                if (pin.kind, pin.key) not in self._known:
                    self.findings.found.append(pin)
                self._want([_placed(inner, need) for inner in further])

    def give_up(self, reason: str) -> None:
        for need in self._open:
            self._warn(need, reason)

    def _want(self, needs: Sequence[Need]) -> None:
        for need in needs:
            if (need.kind, need.key) in self._met:
                continue
            self._met.add((need.kind, need.key))
            if len(self._met) > PINS_MAX:
                self._warn(need, f"a definition may need at most {PINS_MAX} things from outside")
            else:
                self._open.append(need)

    def _warn(self, need: Need, reason: str) -> None:
        what, _ = pins.function_missing(need.key) if need.kind == FUNCTION else pins.schema_missing(need.endpoint)
        detail = f"{what} is not available: {reason} (using it raises a configuration error)"
        self.findings.warnings.append(Problem(need.pointer, detail, need.line, need.column))

    async def _one(self, need: Need) -> tuple[Pin, tuple[Need, ...]] | Missing:
        """What a need is met by, and what that needs itself."""
        try:
            async with self._slots:
                pin = self._known.get((need.kind, need.key))
                if need.kind == SCHEMA:
                    pin = pin or await self._schema(need)
                    outside = schemas.outside(pin.document, pin.uri)
                    return pin, tuple(Need(SCHEMA, uri, "", endpoint=uri) for uri in outside)
                if pin is not None:
                    return pin, functions.needs_of(pin.document, self._uses.of_function(own=pin.own))
                return await self._function(need.key)
        except Missing as missing:
            return missing
        except CallFailed as failure:
            return Missing(failure.error.detail or failure.error.type)

    async def _function(self, key: str) -> tuple[Pin, tuple[Need, ...]]:
        if key in self._uses.functions:
            raise Missing("use.functions has a function of that name, which would hide it")
        if "://" in key:
            return await self._fetched_function(key, catalogs.at(key), None)
        try:
            function = catalogs.parse(key)
        except ValueError as error:
            raise Missing(str(error)) from None
        catalog = self._uses.catalogs.get(function.catalog)
        if catalog is None:  # the checks know that it is the default one
            return await self._own_function(key, function)
        uri, policy = _parts(catalog.get("endpoint"), self._uses)
        return await self._fetched_function(key, catalogs.in_catalog(uri, function), policy)

    async def _own_function(self, key: str, function: catalogs.Catalogued) -> tuple[Pin, tuple[Need, ...]]:
        record = await self._sources.store.function(self._tenant, function.name, function.version)
        if record is None:
            raise Missing("it is not in the default catalog; register it there with POST /v1/functions")
        uses = self._uses.of_function(own=True)
        loaded = await self._load(key, record.source, record.media_type, uses)
        uri = f"/v1/functions/{function.name}/{function.version}"
        return Pin(0, FUNCTION, key, uri, decode(record.document), own=True), loaded.needs

    async def _fetched_function(
        self, key: str, candidates: Sequence[str], policy: Json
    ) -> tuple[Pin, tuple[Need, ...]]:
        fetched = await self._first(candidates, policy)
        loaded = await self._load(fetched.uri, fetched.body, _media_type(fetched), self._uses.of_function(own=False))
        if any("secrets" in variables_of(expression) for expression in loaded.expressions):
            raise Missing(f"{fetched.uri} uses $secrets, which only functions of the default catalog may")
        if self._sources.evaluator is not None:
            for expression, message in await self._sources.evaluator.check(loaded.expressions):
                raise Missing(f"{fetched.uri} is not valid: {expression.pointer}: {message}")
        return Pin(0, FUNCTION, key, fetched.uri, loaded.document), loaded.needs

    async def _schema(self, need: Need) -> Pin:
        uri, policy = _parts(need.endpoint, self._uses)
        fetched = await self._first((uri,), policy)
        try:
            value = document.parse(fetched.body, _media_type(fetched)).value
            schemas.outside(value, fetched.uri)
        except DefinitionUndecodable as error:
            raise Missing(f"{fetched.uri} is neither JSON nor YAML: {error}") from None
        except schemas.SchemaInvalid as error:
            raise Missing(f"{fetched.uri} is no JSON Schema: {error.pointer or '/'}: {error}") from None
        return Pin(0, SCHEMA, need.key, fetched.uri, value)

    async def _first(self, candidates: Sequence[str], policy: Json) -> Fetched:
        """The first of these that is there. Raises what the first of them failed with."""
        if self._sources.fetcher is None:
            raise Missing("it is looked for only when the definition is registered")
        failure: CallFailed | None = None
        for uri in candidates:
            endpoint = uri if policy is None else {"uri": uri, "authentication": policy}
            try:
                return await self._sources.fetcher.fetch(endpoint, self._tenant, self._uses.secrets)
            except CallFailed as failed:
                failure = failure or failed
                if failed.error.status != 404:
                    break
        assert failure is not None
        raise failure

    async def _load(self, where: str, source: bytes, media_type: str, uses: Uses) -> functions.Function:
        try:
            return await asyncio.to_thread(functions.load, source, media_type, uses)
        except DefinitionUndecodable as error:
            raise Missing(f"{where} is neither YAML nor JSON: {_told([error.problem])}") from None
        except DefinitionInvalid as error:
            raise Missing(f"{where} is not valid: {_told(error.problems)}") from None


def _placed(inner: Need, outer: Need) -> Need:
    """A need of a function, at the place in the definition that led to the function."""
    return Need(inner.kind, inner.key, outer.pointer, outer.line, outer.column, inner.endpoint)


def _parts(endpoint: Json, uses: Uses) -> tuple[str, Json]:
    """The URI of a declared endpoint, and its policy, with a name resolved."""
    whole = endpoint if isinstance(endpoint, dict) else {"uri": endpoint}
    uri, policy = str(whole.get("uri")), whole.get("authentication")
    name = policy.get("use") if isinstance(policy, dict) else policy
    if isinstance(name, str):
        policy = uses.authentications[name]
    if pins.depends_on_data({"uri": uri, "authentication": policy}):
        raise Missing("its address and credentials must not contain expressions, as it is fetched at registration")
    return uri, policy


def _media_type(fetched: Fetched) -> str:
    """JSON where it says so; else YAML, which raw files are often served as something else than."""
    is_json = fetched.media_type in document.JSON_TYPES or fetched.media_type.endswith("+json")
    return "application/json" if is_json else "application/yaml"


def _told(problems: Sequence[Problem]) -> str:
    lines = [
        f"{problem.pointer or '/'}: {problem.detail}" + (f" (line {problem.line})" if problem.line else "")
        for problem in problems[:_PROBLEMS_SHOWN_MAX]
    ]
    more = len(problems) - len(lines)
    return "; ".join(lines) + (f"; and {more} more" if more > 0 else "")

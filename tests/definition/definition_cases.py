"""Definitions for tests: the smallest one, and helpers that load and look at them."""

from perdure.definition.loader import Definition, load
from perdure.definition.problems import DefinitionInvalid, Problem

HEAD = "document: {dsl: '1.0.3', namespace: test, name: case, version: '1.0.0'}\n"


def loaded(body: str, head: str = HEAD) -> Definition:
    """The definition with this YAML after its head."""
    return load((head + body).encode(), "application/yaml")


def problems_of(body: str, head: str = HEAD) -> tuple[Problem, ...]:
    """The faults of a definition that must have some."""
    try:
        loaded(body, head)
    except DefinitionInvalid as invalid:
        return invalid.problems
    raise AssertionError("the definition was accepted")

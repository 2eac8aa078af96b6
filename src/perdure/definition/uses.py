"""The reusable components that a definition declares (DSL reference, "Use"), to be found by name."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from perdure.codec import Json

DEFAULT_CATALOG = "default"
"""The catalog that every runtime has (DSL, "Default Catalog")."""

BUILT_IN = ("a2a", "asyncapi", "grpc", "http", "mcp", "openapi")
"""The functions that the DSL itself defines."""

PLATFORM_FUNCTIONS = ("callback:1.0.0", "human-task:1.0.0", "job:1.0.0", "map:1.0.0")
"""The functions of the default catalog that are part of the platform."""


@dataclass(frozen=True, slots=True)
class Uses:
    """``use``, as far as it is well-formed; what is not counts as not declared."""

    authentications: Mapping[str, Json] = field(default_factory=dict)
    catalogs: Mapping[str, Json] = field(default_factory=dict)
    errors: Mapping[str, Json] = field(default_factory=dict)
    functions: Mapping[str, Json] = field(default_factory=dict)
    retries: Mapping[str, Json] = field(default_factory=dict)
    timeouts: Mapping[str, Json] = field(default_factory=dict)
    extensions: tuple[tuple[str, Json], ...] = ()
    secrets: frozenset[str] = frozenset()

    def platform_function(self, function: str) -> str | None:
        """The name, without version and catalog, of a function that the platform itself performs.

        A catalog that is declared under the name ``default`` hides them (DSL, "Default Catalog").
        """
        name, _, catalog = function.rpartition("@")
        if catalog != DEFAULT_CATALOG or name not in PLATFORM_FUNCTIONS or DEFAULT_CATALOG in self.catalogs:
            return None
        return name.partition(":")[0]

    def of_function(self, *, own: bool) -> "Uses":
        """What holds for a function from outside the document: the catalogs, and secrets only in the team's own."""
        return Uses(
            catalogs=self.catalogs,
            extensions=self.extensions,
            secrets=self.secrets if own else frozenset(),
        )

    @staticmethod
    def of(document: Json) -> "Uses":
        """The components of a document, whatever else is wrong with it."""
        use = document.get("use") if isinstance(document, dict) else None
        if not isinstance(use, dict):
            return Uses()

        def declared(kind: str) -> Mapping[str, Json]:
            components = use.get(kind)
            return components if isinstance(components, dict) else {}

        secrets = use.get("secrets")
        extensions = use.get("extensions")
        return Uses(
            authentications=declared("authentications"),
            catalogs=declared("catalogs"),
            errors=declared("errors"),
            functions=declared("functions"),
            retries=declared("retries"),
            timeouts=declared("timeouts"),
            extensions=tuple(
                next(iter(item.items())) for item in extensions if isinstance(item, dict) and len(item) == 1
            )
            if isinstance(extensions, list)
            else (),
            secrets=frozenset(name for name in secrets if isinstance(name, str))
            if isinstance(secrets, list)
            else frozenset(),
        )


def is_loose(document: Json) -> bool:
    """Whether the document asks for loose evaluation (DSL reference, "Evaluate")."""
    evaluate = document.get("evaluate") if isinstance(document, dict) else None
    return isinstance(evaluate, dict) and evaluate.get("mode") == "loose"


LANGUAGE = "jq"
"""The language of runtime expressions that is built in."""


def foreign_language(document: Json) -> str | None:
    """The language of runtime expressions where it is another than jq (DSL reference, "Evaluate")."""
    evaluate = document.get("evaluate") if isinstance(document, dict) else None
    language = evaluate.get("language") if isinstance(evaluate, dict) else None
    return language if isinstance(language, str) and language != LANGUAGE else None


def unknown_language(language: str) -> tuple[str, str]:
    """What is not available, and what to do instead, where expressions are in another language."""
    return f'the expression language "{language[:40]}"', f"write the expressions in {LANGUAGE}"

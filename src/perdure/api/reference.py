"""The OpenAPI document as one readable page: no scripts, nothing loaded from elsewhere."""

import base64
import hashlib
import json
from collections.abc import Iterator
from html import escape
from typing import Final

from perdure.codec import Json

STYLE: Final = """\
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--get:#1d6fb8;--post:#2e7d4f}
body{font:16px/1.55 system-ui,sans-serif;margin:0;display:grid;grid-template-columns:17rem minmax(0,1fr)}
nav{position:sticky;top:0;height:100vh;overflow:auto;padding:1rem;box-sizing:border-box;\
border-right:1px solid var(--line);font-size:.875rem}
nav a{display:block;color:inherit;text-decoration:none;padding:.15rem 0}nav a:hover{text-decoration:underline}
main{padding:1rem 2.5rem 6rem;max-width:60rem}h1{margin-top:0}h2{margin-top:3rem}
section{border-top:1px solid var(--line);padding-top:.5rem;margin-top:2rem}
code,pre{font:.8125rem/1.5 ui-monospace,monospace}pre{background:var(--soft);padding:.75rem;overflow:auto;\
border-radius:4px}
.call{font:600 .9375rem ui-monospace,monospace;overflow-wrap:anywhere}
.method{color:#fff;padding:.1rem .5rem;border-radius:4px;margin-right:.5rem;background:var(--post)}
.GET{background:var(--get)}table{border-collapse:collapse;width:100%;font-size:.875rem}
td,th{text-align:left;vertical-align:top;padding:.3rem .75rem .3rem 0;border-bottom:1px solid var(--line)}
summary{cursor:pointer}.muted{opacity:.75}
@media(max-width:50rem){body{display:block}nav{position:static;height:auto;border:0}main{padding:1rem}}
"""

_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

HEADERS: Final = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cache-Control": "no-cache",
}


def render(document: Json) -> bytes:
    """The whole page."""
    info = document["info"]
    parts = [
        "<!doctype html><html lang=en><head><meta charset=utf-8>",
        '<meta name=viewport content="width=device-width,initial-scale=1">',
        f"<title>{escape(info['title'])} API</title><style>{STYLE}</style></head><body>",
        *_navigation(document),
        f"<main><h1>{escape(info['title'])} API <span class=muted>{escape(info['version'])}</span></h1>",
        *(f"<p>{_text(paragraph)}</p>" for paragraph in info["description"].split("\n\n")),
        '<p>As data: <a href="/openapi.json">openapi.json</a> (OpenAPI 3.1).</p>',
        *_operations(document),
        "<h2 id=schemas>Schemas</h2>",
        *_schemas(document),
        "</main></body></html>",
    ]
    return "".join(parts).encode()


def _each(document: Json, tag: str) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if tag in operation.get("tags", ()):
                yield path, method.upper(), operation


def _navigation(document: Json) -> Iterator[str]:
    yield "<nav>"
    for tag in document["tags"]:
        yield f"<strong>{escape(tag['name'])}</strong>"
        for _, _, operation in _each(document, tag["name"]):
            yield f'<a href="#{operation["operationId"]}">{escape(operation["summary"])}</a>'
    yield '<strong><a href="#schemas">Schemas</a></strong></nav>'


def _operations(document: Json) -> Iterator[str]:
    for tag in document["tags"]:
        yield f"<h2>{escape(tag['name'])}</h2><p>{_text(tag['description'])}</p>"
        for path, method, operation in _each(document, tag["name"]):
            yield from _operation(path, method, operation)


def _operation(path: str, method: str, operation: Json) -> Iterator[str]:
    yield f'<section id="{operation["operationId"]}"><h3>{escape(operation["summary"])}</h3>'
    yield f'<p class=call><span class="method {method}">{method}</span>{escape(path)}</p>'
    for paragraph in operation.get("description", "").split("\n\n"):
        yield f"<p>{_text(paragraph)}</p>" if paragraph else ""
    if operation.get("security") == []:
        yield "<p class=muted>Needs no API key.</p>"
    yield from _parameters(operation.get("parameters", ()))
    if "requestBody" in operation:
        yield "<h4>Body</h4>"
        yield from _contents(operation["requestBody"])
    yield "<h4>Answers</h4>"
    for status, response in operation["responses"].items():
        if "$ref" not in response:
            yield f"<p><code>{status}</code> {_text(response['description'])}</p>"
            yield from _contents(response)
    refused = ", ".join(status for status, response in operation["responses"].items() if "$ref" in response)
    yield f"<p class=muted>Refused with problem details: {refused}.</p></section>"


def _parameters(parameters: list[Json]) -> Iterator[str]:
    if not parameters:
        return
    yield "<table><tr><th>Parameter<th>In<th>What it is</tr>"
    for parameter in parameters:
        schema = parameter.get("schema", {})
        bounds = ", ".join(_bounds(schema))
        text = parameter.get("description") or schema.get("description", "")
        yield f"<tr><td><code>{escape(parameter['name'])}</code><td>{parameter['in']}"
        yield f"<td>{_text(text)} <span class=muted>{escape(bounds)}</span></tr>"
    yield "</table>"


def _contents(holder: Json) -> Iterator[str]:
    for media_type, content in holder.get("content", {}).items():
        reference = content.get("schema", {}).get("$ref", "")
        name = reference.rsplit("/", 1)[-1]
        link = f', <a href="#schema-{name}">{name}</a>' if name else ""
        yield f"<details><summary><code>{escape(media_type)}</code>{link}</summary>"
        example = content.get("example")
        shown = example if isinstance(example, str) else json.dumps(example, indent=2, ensure_ascii=False)
        yield f"<pre>{escape(shown)}</pre></details>"


def _schemas(document: Json) -> Iterator[str]:
    for name, schema in document["components"]["schemas"].items():
        yield f'<section id="schema-{name}"><h3>{name}</h3><p>{_text(schema.get("description", ""))}</p>'
        if "properties" in schema:
            yield "<table><tr><th>Member<th>Type<th>What it is</tr>"
            for member, inner in schema["properties"].items():
                star = "" if member in schema.get("required", ()) else " <span class=muted>optional</span>"
                bounds = ", ".join(_bounds(inner))
                yield f"<tr><td><code>{escape(member)}</code>{star}<td>{_kind(inner)}"
                yield f"<td>{_text(inner.get('description', ''))} <span class=muted>{escape(bounds)}</span></tr>"
            yield "</table>"
        yield "</section>"


def _kind(schema: Json) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f'<a href="#schema-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(option) for option in schema["anyOf"]))
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    if schema.get("type") == "array":
        return f"array of {_kind(schema.get('items', {}))}"
    type_ = schema.get("type", "any")
    return escape(" or ".join(type_) if isinstance(type_, list) else type_)


def _bounds(schema: Json) -> Iterator[str]:
    options = [schema, *schema.get("anyOf", ())]
    for option in options:
        if "enum" in option:
            yield "one of " + ", ".join(str(value) for value in option["enum"])
        if "format" in option:
            yield option["format"]
        if "minimum" in option or "maximum" in option:
            yield f"{option.get('minimum', '…')} to {option.get('maximum', '…')}"
        if "maxLength" in option:
            yield f"at most {option['maxLength']} characters"
    if schema.get("default") is not None:
        yield f"default {json.dumps(schema['default'])}"


def _text(text: str) -> str:
    """Escaped, with `code` marked as such."""
    pieces = escape(text).split("`")
    return "".join(f"<code>{piece}</code>" if n % 2 else piece for n, piece in enumerate(pieces))

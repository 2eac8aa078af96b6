"""Where a secret may turn up: a service that echoes what it is told, and all that the platform says and stores."""

import base64
import json
import re
from urllib.parse import quote, quote_plus

import asyncpg
from aiohttp import web
from live import live

from perdure.settings import Settings

TOKEN = "tok-S3cr3t-0123456789-abcdef"
ODD = 'odd "q/uo\\te+&ä=%\tS3cr3t'
SECRETS = {
    "TOKEN": TOKEN,
    "LOGIN": {"username": "ada", "password": ODD},
    "OAUTH": {"client": {"id": "c", "secret": ODD}},
}


def forms(secret):
    """How a secret may be written, as patterns; of base64 those that hold at any place within a longer text."""
    texts = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    texts |= {text.replace("\t", " ") for text in texts} | {repr(secret)[1:-1]}
    texts |= {quote(secret, safe=""), quote_plus(secret), quote(secret), quote(secret, safe="/:?@!$'()*,;")}
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + secret.encode()).decode()
        inner = encoded[-(-shift * 8 // 6) : (shift + len(secret.encode())) * 8 // 6]
        texts |= {inner, inner.translate(str.maketrans("+/", "-_"))}
    texts |= {text[:14] for text in texts}  # what was cut off within
    return [re.compile(re.escape(text), re.IGNORECASE if "%" in text else 0) for text in texts]


FORMS = [form for secret in (TOKEN, ODD) for form in forms(secret)]


def found_in(text):
    return [text[max(0, match.start() - 200) : match.end() + 20] for form in FORMS if (match := form.search(text))][:1]


class Echo:
    """Says all that it was told, in every form, by path: well, failing, in headers, in a redirection, garbled."""

    def __init__(self):
        self.base = ""
        self.told = []
        self.callbacks = []

    async def handle(self, request):
        body = (await request.read()).decode("utf-8", "replace")
        said = [request.headers.get("Authorization", ""), str(request.rel_url), request.path_qs, body]
        said += [base64.b64decode(said[0][6:]).decode()] if said[0].startswith("Basic ") else []
        said += [value for name, value in request.headers.items() if name.startswith("X-")]
        said += [form for text in said for form in (quote(text), base64.b64encode(text.encode()).decode())]
        self.told.append(said)
        text = json.dumps({"said": said})
        match request.path.split("/")[1]:
            case "fail":
                return web.Response(status=500, text=text, content_type="application/json")
            case "cut":  # where the excerpt of an error ends within what was told
                return web.Response(status=500, text="x" * (490 - len(said[0]) % 7) + said[0][7:], reason="No")
            case "headers":
                return web.Response(text="{}", headers={"X-Said": quote(said[0]), "X-Raw": said[0]})
            case "moved":
                return web.Response(status=302, headers={"Location": f"/echo?was={quote(said[0])}"})
            case "garbled":
                return web.Response(text="{" + text, content_type="application/json")
            case "token":
                described = {"error": "invalid_client", "error_description": body}
                return web.json_response(described, status=400)
            case "events":
                self.callbacks.append(body)
                return web.Response()
        return web.Response(text=text, content_type="application/json")


def platform(dsn):
    settings = Settings(
        _env_file=None, database_url=dsn, egress_allow="127.0.0.0/8", run_shell=True, run_script=True, sweep_seconds=0.3
    )
    return live(dsn, settings)


class Told:
    """All that the platform says, by where."""

    def __init__(self, client, dsn):
        self.client = client
        self.dsn = dsn
        self.texts = {}

    async def call(self, method, path, **arguments):
        async with self.client.request(method, path, **arguments) as response:
            text = await response.text()
            self.texts[f"{method} {path} {len(self.texts)}"] = text + str(dict(response.headers))
            return json.loads(text) if "json" in response.content_type else text

    async def run(self, name, do, **top):
        """The process of that name, once it has ended, after a look at it from all sides."""
        document = {"dsl": "1.0.3", "namespace": "secret", "name": name, "version": "1.0.0"}
        use = {"secrets": sorted(SECRETS), **top.pop("use", {})}
        registered = await self.call(
            "POST", "/v1/definitions", json={"document": document, "use": use, "do": do, **top}
        )
        assert "errors" not in registered, registered
        start = {"definition": {"namespace": "secret", "name": name}, "input": {"n": 1}}
        process = await self.call("POST", "/v1/processes", json=start)
        ended = await self.call("GET", f"/v1/processes/{process['id']}?wait=20")
        assert ended["endedAt"], ended
        for view in ("activities", "history", "why", "events"):
            await self.call("GET", f"/v1/processes/{process['id']}/{view}")
        return ended

    async def rest(self, *, database):
        """Lists, metrics, and with `database` every text in every column there."""
        for path in ("processes", "human-tasks", "schedules", "definitions", "webhooks"):
            await self.call("GET", f"/v1/{path}")
        await self.call("GET", "/metrics")
        if database:
            await self._dump()

    async def _dump(self):
        connection = await asyncpg.connect(self.dsn)
        tables = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
        for (table,) in tables:
            for row in await connection.fetch(f'select * from "{table}"'):
                for column, value in row.items():
                    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
                    key = f"table {table}.{column}"
                    self.texts[key] = self.texts.get(key, "") + text + "\n"
        await connection.close()

    def leaks(self):
        return {place: leak for place, text in self.texts.items() if (leak := found_in(text))}

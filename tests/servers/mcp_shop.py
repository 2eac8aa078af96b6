"""A real MCP server, made with the protocol's own SDK: as an ASGI application, and as a program (run this file)."""

import asyncio
import contextlib
import os
import sys
import time

import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError

server = MCPServer("shop", version="3.2.1", log_level="CRITICAL")


@server.tool()
def stock(item: str, warehouse: str = "main") -> dict[str, int]:
    """How many there are."""
    return {f"{item}@{warehouse}": 7}


@server.tool()
def refuse(reason: str) -> str:
    """Always fails."""
    raise ToolError(f"refused: {reason}")


@server.tool()
async def slow(ctx: Context) -> str:
    await asyncio.sleep(60)
    return "at last"


@server.tool()
def environment() -> dict[str, str]:
    """What the program can see."""
    return dict(os.environ)


@server.tool()
def large(size: int) -> str:
    return "x" * size


@server.tool()
def die(words: str) -> str:
    print(words, file=sys.stderr, flush=True)
    os._exit(3)


@server.tool()
def spawn() -> int:
    """Start a program that outlives its parent, and say which."""
    import subprocess

    return subprocess.Popen(["sleep", "300"]).pid


@server.tool()
def client(ctx: Context) -> dict[str, str]:
    known = ctx.session.client_params.client_info
    return {"name": known.name, "version": known.version, "protocol": str(ctx.session.protocol_version)}


@server.tool()
def headers(ctx: Context) -> dict[str, str]:
    return dict(ctx.request_context.request.headers)


@server.prompt()
def greet(name: str) -> str:
    """A friendly prompt."""
    return f"Say hello to {name}."


@server.resource("shop://terms")
def terms() -> str:
    return "Pay first."


@server.resource("shop://items/{item}")
def item(item: str) -> str:
    return f"About {item}."


def again():
    """Another server with some of the tools, as the HTTP application of one can run only once."""
    other = MCPServer("again", log_level="CRITICAL")
    other.add_tool(stock)
    other.add_tool(refuse)
    return other


@contextlib.asynccontextmanager
async def mcp_http(port, served=server, **options):
    """The URL of the server, on this machine."""
    app = served.streamable_http_app(**options)
    http = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", ws="none"))
    http.capture_signals = contextlib.nullcontext
    task = asyncio.create_task(http.serve())
    async with asyncio.timeout(30):
        while not http.started:
            await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        http.should_exit = True
        await task


if __name__ == "__main__":
    if "--silent" in sys.argv:
        time.sleep(300)
    if "--chatty" in sys.argv:
        print("Welcome to the shop", flush=True)
    server.run("stdio")

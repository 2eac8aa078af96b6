"""A real A2A agent, made with the protocol's own SDK: speaks 1.0, and 0.3 where asked to."""

import asyncio
import contextlib
from pathlib import Path

import a2a
import uvicorn
from a2a.helpers import new_task_from_user_message, new_text_message, new_text_part
from a2a.server.agent_execution import AgentExecutor
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import create_agent_card_routes, create_jsonrpc_routes
from a2a.server.tasks import InMemoryPushNotificationConfigStore, InMemoryTaskStore, TaskUpdater
from a2a.types import AgentCapabilities, AgentCard, AgentInterface, AgentSkill, Role
from starlette.applications import Starlette
from starlette.middleware import Middleware


class Clerk(AgentExecutor):
    """Answers by what the text says: "report" makes a task, "hold" one that goes on until it is cancelled."""

    def __init__(self):
        self.messages = []

    async def execute(self, context, event_queue):
        self.messages.append(context.message)
        text = context.get_user_input()
        if text == "break":
            raise RuntimeError("the clerk is ill")
        if text not in ("report", "hold"):
            await event_queue.enqueue_event(new_text_message(f"You said: {text}", role=Role.ROLE_AGENT))
            return
        task = new_task_from_user_message(context.message)
        await event_queue.enqueue_event(task)
        updater = TaskUpdater(event_queue, task.id, task.context_id)
        await updater.start_work()
        if text == "hold":
            await asyncio.Event().wait()
        for part in ("Q1", "Q2"):
            await updater.add_artifact([new_text_part(part)], name=part)
        await updater.complete()

    async def cancel(self, context, event_queue):
        await TaskUpdater(event_queue, context.task_id, context.context_id).cancel()


class Agent:
    """What the agent was asked, and where it is."""

    def __init__(self, port, *versions):
        self.clerk = Clerk()
        self.requests = []
        self.base = f"http://127.0.0.1:{port}"
        self.card = AgentCard(
            name="Clerk",
            description="Writes reports",
            version="1.2.0",
            supported_interfaces=[
                AgentInterface(url=f"{self.base}/rpc", protocol_binding="JSONRPC", protocol_version=version)
                for version in versions
            ],
            capabilities=AgentCapabilities(streaming=True, push_notifications=True, extended_agent_card=True),
            default_input_modes=["text/plain"],
            default_output_modes=["text/plain"],
            skills=[AgentSkill(id="write", name="Write", description="Writes", tags=["text"])],
        )

    def app(self, *versions):
        handler = DefaultRequestHandler(
            agent_executor=self.clerk,
            task_store=InMemoryTaskStore(),
            agent_card=self.card,
            push_config_store=InMemoryPushNotificationConfigStore(),
            extended_agent_card=self.card,
        )
        routes = [
            *create_agent_card_routes(self.card),
            *create_jsonrpc_routes(handler, "/rpc", enable_v0_3_compat="0.3" in versions),
        ]
        return Starlette(routes=routes, middleware=[Middleware(self._recorder)])

    def _recorder(self, app):
        async def record(scope, receive, send):
            if scope["type"] == "http":
                self.requests.append((scope["path"], {k.decode(): v.decode() for k, v in scope["headers"]}))
            await app(scope, receive, send)

        return record


@contextlib.asynccontextmanager
async def a2a_agent(port, *versions):
    """An agent that speaks these versions, on this machine."""
    agent = Agent(port, *versions)
    http = uvicorn.Server(
        uvicorn.Config(agent.app(*versions), host="127.0.0.1", port=port, log_level="critical", ws="none")
    )
    http.capture_signals = contextlib.nullcontext
    task = asyncio.create_task(http.serve())
    async with asyncio.timeout(30):
        while not http.started:
            await asyncio.sleep(0.01)
    try:
        yield agent
    finally:
        http.should_exit = True
        await task
        await _end_what_is_left()


async def _end_what_is_left():
    """The SDK leaves tasks of its own behind where an agent has not ended its work."""
    own = Path(a2a.__file__).parent
    left = [task for task in asyncio.all_tasks() if own in Path(task.get_coro().cr_code.co_filename).parents]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)

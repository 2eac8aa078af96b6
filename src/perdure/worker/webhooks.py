"""Sends events to webhooks: leased deliveries, a few at a time per receiver, so that a slow one delays no other."""

import asyncio
import math
from uuid import UUID

import structlog

from perdure import clock, telemetry
from perdure.activities.contract import Poster
from perdure.runtime import retries, signatures
from perdure.runtime.context import Context
from perdure.sealing import SealBroken, Sealer
from perdure.store.contract import StoreUnavailable
from perdure.store.lifecycle import Attempt, LeasedDelivery
from perdure.worker.alarm import Alarm

log = structlog.get_logger("perdure.webhooks")

PER_WEBHOOK_MAX = 10
AT_ONCE_MAX = 50
LEASE_MARGIN_SECONDS = 15.0
AGAIN_SECONDS = 1.0
"""After a failure, and while all that is due is under way."""
TRIM_SECONDS = 60.0
KEPT_SECONDS = 7 * 86_400.0
"""How long the log keeps a delivery that has ended."""
KEPT_MAX = 10_000
"""How many deliveries the log keeps for one webhook."""
PENDING_MAX = 100_000
"""A webhook for which more events wait is disabled."""


class Webhooks:
    """Any number may run: what one of them has leased no other sends, until the lease ends.

    `_sending` has the webhook of each delivery under way. A webhook gets no more until all of its own are through.
    """

    def __init__(self, context: Context, poster: Poster) -> None:
        self._context = context
        self._poster = poster
        self._sealer = Sealer(context.settings.encryption_key)
        self._sending: dict[asyncio.Task[None], UUID] = {}
        self._alarm = Alarm()
        self._trimmed_at = clock.monotonic()

    def expect(self, seconds: float) -> None:
        """Something is to be sent in that many seconds."""
        self._alarm.expect(seconds)

    async def run(self) -> None:
        """For ever."""
        while True:
            try:
                seconds = await self.once()
                await self._trim()
            except StoreUnavailable as error:
                log.warning("webhooks can't be served now", reason=str(error))
                seconds = AGAIN_SECONDS
            except Exception:
                log.exception("webhooks could not be served; it goes on")
                seconds = AGAIN_SECONDS
            await self._alarm.rest(min(seconds, TRIM_SECONDS))

    async def stop(self) -> None:
        """Drop what is under way; its leases end, and it is sent again."""
        sending = tuple(self._sending)
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)

    async def once(self) -> float:
        """Begin to send what is due; answers in how many seconds to come again."""
        store, lease = self._context.store.lifecycle, self._lease_seconds
        room = AT_ONCE_MAX - len(self._sending)
        if room > 0:
            busy = list(set(self._sending.values()))
            for delivery in await store.lease_deliveries(clock.uuid7(), lease, busy, PER_WEBHOOK_MAX, room):
                task = asyncio.create_task(self._send(delivery))
                self._sending[task] = delivery.webhook
                task.add_done_callback(self._sent)
        due = await store.next_delivery()
        if due is None:
            return math.inf
        if due <= 0 and self._sending:  # those in hand wake this loop when they are through
            return AGAIN_SECONDS
        return max(due, 0.01)

    @property
    def _lease_seconds(self) -> float:
        return self._context.settings.webhook_timeout_seconds + LEASE_MARGIN_SECONDS

    def _sent(self, task: asyncio.Task[None]) -> None:
        webhook = self._sending.pop(task)
        if webhook not in self._sending.values():
            self._alarm.expect(0)

    async def _send(self, leased: LeasedDelivery) -> None:
        """Raises nothing: what can't be recorded comes again when its lease ends."""
        try:
            attempt = await self._attempt(leased)
            telemetry.WEBHOOK_DELIVERIES.labels(attempt.status if attempt.status != "pending" else "retried").inc()
            if attempt.disable is not None:
                log.warning("a webhook is disabled", webhook=str(leased.webhook), reason=attempt.disable)
            await self._context.store.lifecycle.finish_attempt(leased, attempt)
        except StoreUnavailable as error:
            log.warning("a delivery could not be recorded; it comes again", reason=str(error))
        except Exception:
            log.exception("a delivery could not be recorded; it comes again", webhook=str(leased.webhook))

    async def _attempt(self, leased: LeasedDelivery) -> Attempt:
        settings = self._context.settings
        limits = {
            "first_seconds": clock.jittered(settings.webhook_retry_seconds),
            "disable_seconds": settings.webhook_disable_seconds,
        }
        try:
            secret = self._sealer.open(leased.secret, leased.webhook.bytes).decode()
            headers = signatures.headers(secret, str(leased.id), leased.now, leased.body)
            status, answer = await self._poster.post(leased.url, headers, leased.body, settings.webhook_timeout_seconds)
        except (ConnectionError, ValueError) as error:
            return retries.failed(str(error), leased.attempts, leased.failing_since, leased.now, **limits)
        except SealBroken as error:
            reason = f"the secret can't be used: {error}"
            return retries.failed(reason, leased.attempts, leased.failing_since, leased.now, **limits)
        except Exception as error:  # ours, not the receiver's: counted all the same, so that it ends at some time
            log.exception("a delivery could not be sent", webhook=str(leased.webhook), delivery=str(leased.id))
            reason = f"it could not be sent: {type(error).__name__}"
            return retries.failed(reason, leased.attempts, leased.failing_since, leased.now, **limits)
        return retries.answered(status, answer, leased.attempts, leased.failing_since, leased.now, **limits)

    async def _trim(self) -> None:
        if clock.monotonic() - self._trimmed_at > TRIM_SECONDS:
            self._trimmed_at = clock.monotonic()
            await self._context.store.lifecycle.trim_deliveries(KEPT_SECONDS, KEPT_MAX, PENDING_MAX)

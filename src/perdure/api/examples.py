"""Realistic values for the OpenAPI document. A test holds them to their schemas."""

from typing import Final

from perdure.codec import Json
from perdure.engine.errors import BASE

PROCESS_ID: Final = "0193a5c4-7d1e-7c3a-9f56-2b8d4e6a1c70"
ACTIVITY_ID: Final = "6f1a2c3d-4b5e-8f60-9a7b-8c9d0e1f2a3b"

DEFINITION_YAML: Final = """\
document:
  dsl: 1.0.3
  namespace: shop
  name: order-fulfilment
  version: 1.2.0
  title: From order to parcel
do:
  - reserveStock:
      call: http
      with:
        method: post
        endpoint: https://warehouse.example/reservations
        body:
          order: ${ .orderId }
  - approve:
      call: human-task:1.0.0@default
      with:
        title: ${ "Ship order " + .orderId + "?" }
        candidateGroups: [dispatch]
"""

DEFINITION_JSON: Final[Json] = {
    "document": {"dsl": "1.0.3", "namespace": "shop", "name": "greet", "version": "1.0.0"},
    "do": [{"greet": {"set": {"text": '${ "Hello, " + .name }'}}}],
}

DEFINITION: Final[Json] = {
    "namespace": "shop",
    "name": "order-fulfilment",
    "version": "1.2.0",
    "title": "From order to parcel",
    "summary": None,
    "createdAt": "2026-11-23T09:00:00Z",
}

FUNCTION_YAML: Final = """\
input:
  schema:
    document:
      type: object
      required: [amount]
      properties:
        amount: {type: number, exclusiveMinimum: 0}
call: http
with:
  method: post
  endpoint: https://payments.example/charges
  body:
    amount: ${ .amount }
output:
  as: .receipt
"""

FUNCTION_JSON: Final[Json] = {"set": {"text": '${ "Hello, " + .name }'}}

FUNCTION: Final[Json] = {
    "name": "charge-card",
    "version": "1.2.0",
    "builtIn": False,
    "createdAt": "2026-11-23T09:00:00Z",
}

START: Final[Json] = {
    "definition": {"namespace": "shop", "name": "order-fulfilment"},
    "input": {"orderId": "A-1042", "lines": [{"sku": "mug", "quantity": 2}]},
    "key": "A-1042",
    "onConflict": "existing",
    "tags": {"channel": "web"},
}

PROCESS: Final[Json] = {
    "id": PROCESS_ID,
    "definition": {"namespace": "shop", "name": "order-fulfilment", "version": "1.2.0"},
    "status": "waiting",
    "key": "A-1042",
    "tags": {"channel": "web"},
    "input": {"orderId": "A-1042", "lines": [{"sku": "mug", "quantity": 2}]},
    "output": None,
    "error": None,
    "parent": None,
    "createdAt": "2026-11-23T09:30:00.120000Z",
    "startedAt": "2026-11-23T09:30:00.131000Z",
    "endedAt": None,
    "waitingFor": [
        {
            "activity": ACTIVITY_ID,
            "reference": "/do/1/approve",
            "reason": "human-task",
            "since": "2026-11-23T09:30:01.402000Z",
        }
    ],
}

ACTIVITY: Final[Json] = {
    "id": ACTIVITY_ID,
    "process": PROCESS_ID,
    "parent": None,
    "reference": "/do/0/reserveStock",
    "name": "reserveStock",
    "kind": "call",
    "iteration": [],
    "status": "faulted",
    "attempt": 1,
    "input": {"orderId": "A-1042"},
    "output": None,
    "error": {
        "type": BASE + "communication",
        "status": 503,
        "title": "Communication error",
        "detail": "POST https://warehouse.example/reservations answered 503",
        "instance": "/do/0/reserveStock",
    },
    "createdAt": "2026-11-23T09:30:00.131000Z",
    "startedAt": "2026-11-23T09:30:00.131000Z",
    "endedAt": "2026-11-23T09:30:00.402000Z",
    "progress": None,
}

HISTORY: Final[Json] = {
    "sequence": 7,
    "at": "2026-11-23T09:31:12Z",
    "type": "io.serverlessworkflow.workflow.suspended.v1",
    "activity": None,
    "actor": "ops",
    "data": {"reason": "warehouse is being moved"},
}

HUMAN_TASK: Final[Json] = {
    "id": ACTIVITY_ID,
    "process": PROCESS_ID,
    "activity": ACTIVITY_ID,
    "title": "Ship order A-1042?",
    "description": None,
    "status": "claimed",
    "assignee": "mia",
    "assignees": [],
    "candidateGroups": ["dispatch"],
    "excludeUsers": [],
    "outcomes": ["approved", "rejected"],
    "form": None,
    "due": "2026-11-24T09:30:00Z",
    "outcome": None,
    "output": None,
    "createdAt": "2026-11-23T09:30:01.402000Z",
    "completedAt": None,
}

LEASE: Final[Json] = {"token": "b1946ac9-2492-4d23-9a7f-0c5e6d1f8a42", "until": "2026-11-23T09:31:00Z"}

JOB: Final[Json] = {
    "id": ACTIVITY_ID,
    "process": PROCESS_ID,
    "activity": ACTIVITY_ID,
    "type": "charge-card",
    "input": {"orderId": "A-1042", "amount": 1999, "currency": "EUR"},
    "attempt": 1,
    "priority": 0,
    "idempotencyKey": f"{PROCESS_ID}/{ACTIVITY_ID}",
    "traceparent": "00-0193a5c47d1e7c3a9f562b8d4e6a1c70-6f1a2c3d4b5e8f60-01",
    "lease": LEASE,
}

SCHEDULE_ID: Final = "5d0c7a52-9c1e-8f0b-a3d4-61f2b7c8d9e0"

WHY: Final[Json] = {
    "process": PROCESS_ID,
    "status": "waiting",
    "sentence": "Waiting since 14:02:11 UTC for the callback of /do/2/pay; its request was answered 14:02:12 UTC; "
    "times out tomorrow 14:02 UTC.",
    "total": 1,
    "waits": [
        {
            "activity": ACTIVITY_ID,
            "reference": "/do/2/pay",
            "reason": "callback",
            "since": "2026-11-23T14:02:11.120000Z",
            "until": None,
            "timesOutAt": "2026-11-24T14:02:11.120000Z",
            "wakeUps": [{"kind": "callback", "id": ACTIVITY_ID, "state": "open", "at": None, "details": {}}],
            "sentence": "Waiting since 14:02:11 UTC for the callback of /do/2/pay; its request was answered "
            "14:02:12 UTC; times out tomorrow 14:02 UTC.",
        }
    ],
}

EXAMINED: Final[Json] = {
    "examined": 500,
    "findings": [
        {
            "process": PROCESS_ID,
            "status": "waiting",
            "missing": [f"timer of {ACTIVITY_ID}"],
            "repaired": True,
            "explanation": "Recorded again from its state; it goes on.",
        }
    ],
    "next": None,
}

SCHEDULE: Final[Json] = {
    "id": SCHEDULE_ID,
    "definition": {"namespace": "shop", "name": "nightly-billing", "version": "1.4.0"},
    "kind": "cron",
    "expression": "30 2 * * *",
    "timezone": "Europe/Berlin",
    "overlap": "skip",
    "catchUp": "latest",
    "paused": False,
    "next": "2026-11-24T01:30:00Z",
    "last": {"at": "2026-11-23T01:30:00Z", "process": PROCESS_ID},
    "queued": 0,
    "since": "2026-10-01T08:12:40.220000Z",
}

SCHEDULE_ENTRY: Final[Json] = {
    "at": "2026-11-23T09:30:00Z",
    "actor": "ops",
    "action": "paused",
    "data": {"reason": "public holidays"},
}

BACKFILLED: Final[Json] = {"started": 1, "already": 6, "processes": [PROCESS_ID]}

WEBHOOK_ID: Final = "0193a5d0-11aa-7b2c-8d3e-4f5a6b7c8d9e"

CREATE_WEBHOOK: Final[Json] = {
    "url": "https://crm.example/hooks/perdure",
    "filter": {"types": ["io.serverlessworkflow.workflow.*"], "namespace": "shop"},
    "description": "Tells the CRM how orders end",
}

WEBHOOK: Final[Json] = {
    "id": WEBHOOK_ID,
    "url": "https://crm.example/hooks/perdure",
    "description": "Tells the CRM how orders end",
    "filter": {"types": ["io.serverlessworkflow.workflow.*"], "namespace": "shop", "name": None, "tags": {}},
    "enabled": True,
    "disabledReason": None,
    "failingSince": None,
    "createdAt": "2026-11-23T09:00:00.412000Z",
    "createdBy": "ops",
    "updatedAt": "2026-11-23T09:00:00.412000Z",
}

NEW_WEBHOOK: Final[Json] = {**WEBHOOK, "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="}

DELIVERY: Final[Json] = {
    "id": "0193a5d4-9c1e-7a44-b1f0-3c2d1e0f9a8b",
    "webhook": WEBHOOK_ID,
    "event": f"{PROCESS_ID}/17",
    "type": "io.serverlessworkflow.workflow.completed.v1",
    "status": "pending",
    "attempts": 2,
    "nextAttemptAt": "2026-11-23T09:30:21Z",
    "createdAt": "2026-11-23T09:30:01Z",
    "lastAttemptAt": "2026-11-23T09:30:06Z",
    "finishedAt": None,
    "responseStatus": 503,
    "error": "the receiver answered 503; expected 2xx",
}

CLOUD_EVENT: Final[Json] = {
    "specversion": "1.0",
    "id": "b7d1",
    "source": "https://warehouse.example",
    "type": "example.warehouse.parcel.sent",
    "data": {"orderId": "A-1042", "parcel": "JD0142"},
}

INVALID: Final[Json] = {
    "type": "urn:perdure:problem:invalid",
    "title": "The request is not acceptable",
    "status": 422,
    "detail": "/definition: expected the member 'name', which is missing",
    "errors": [{"pointer": "/definition", "detail": "expected the member 'name', which is missing"}],
}

"""Other durable execution platforms, each doing what ours does, on the same machine.

`installation` brings them here, `contract` says what each can be asked to do, `*_driver` asks it. The programs
themselves, `dbos_app.py` and `restate_service.py`, run in the peers' own environment, never in ours.
"""

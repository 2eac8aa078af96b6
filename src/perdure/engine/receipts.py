"""Which messages a subscription has taken, for whoever must acknowledge them to a broker.

A message is acknowledged once its process has taken it. While the subscription stays open, that is every message
handed over. When it ends, messages may be under way that came too late and go back to the broker: so the engine
then keeps the receipt of the last message that it took, as a payload of the process under this key.
"""

from uuid import UUID

from perdure.engine.refs import Key, derived_key


def receipt_key(activity: UUID, receipt: UUID) -> Key:
    """Where the receipt of the last message is kept once a subscription has ended."""
    return derived_key(activity.bytes, b"receipt", receipt.bytes)

"""What the embedded PostgreSQL can fail with."""


class EmbeddedError(Exception):
    """The embedded PostgreSQL can't run; the message says why and what to do."""

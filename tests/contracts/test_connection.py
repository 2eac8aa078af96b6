"""What connections to PostgreSQL ask of it."""

from perdure.store.postgres.connection import connected, open_pool


async def test_dead_clients_are_noticed_soon(database: str) -> None:
    """PostgreSQL tells what the system does with this very socket."""
    pool = await open_pool(database, 1)
    async with connected(pool) as connection:
        told = {name: await connection.fetchval(f"show {name}") for name in ("tcp_keepalives_idle", "tcp_user_timeout")}
    await pool.close()
    assert told == {"tcp_keepalives_idle": "15", "tcp_user_timeout": "30000"}

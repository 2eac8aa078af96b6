"""Real servers for tests, started from installed programs on free ports, to be killed, frozen and wiped at will."""

from servers.fleet import KINDS, Fleet
from servers.kafka import KafkaServer
from servers.mosquitto import MosquittoServer, SecureMosquittoServer
from servers.nats import NatsServer
from servers.postgres import PostgresServer
from servers.proxy import Proxy
from servers.rabbit import RabbitServer
from servers.redis import RedisServer
from servers.server import Server
from servers.volume import Volume

__all__ = [
    "KINDS",
    "Fleet",
    "KafkaServer",
    "MosquittoServer",
    "NatsServer",
    "PostgresServer",
    "Proxy",
    "RabbitServer",
    "RedisServer",
    "SecureMosquittoServer",
    "Server",
    "Volume",
]

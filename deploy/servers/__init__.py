"""RabbitMQ and PostgreSQL of one's own, for the tests, the benchmarks and ``make demo``."""

from deploy.servers.choice import find_postgresql, find_rabbitmq, postgresql, rabbitmq
from deploy.servers.errors import NoServerFoundError, ServerError
from deploy.servers.postgres.server import PostgresServer
from deploy.servers.rabbit.server import RabbitServer
from deploy.servers.tls import ServerTls

__all__ = [
    "NoServerFoundError",
    "PostgresServer",
    "RabbitServer",
    "ServerError",
    "ServerTls",
    "find_postgresql",
    "find_rabbitmq",
    "postgresql",
    "rabbitmq",
]

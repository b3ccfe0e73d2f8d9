"""Servers that speak TLS, and let in only who has a certificate."""

import ssl
from pathlib import Path

import asyncpg
import pika
import pytest
from asyncpg.exceptions import InvalidAuthorizationSpecificationError, InvalidPasswordError
from pika.exceptions import AMQPConnectionError
from yarl import URL

from deploy.servers import PostgresServer, RabbitServer
from tests.servers.certificates import Authority, Held


def trusting(authority: Authority, held: Held | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authority.file)
    if held is not None:
        context.load_cert_chain(held.certificate, held.key)
    return context


def ask_broker(server: RabbitServer, context: ssl.SSLContext) -> None:
    parameters = pika.URLParameters(server.tls_url_of("/"))
    parameters.ssl_options = pika.SSLOptions(context, server.host)
    pika.BlockingConnection(parameters).close()


async def ask_database(url: str, context: ssl.SSLContext | None) -> object:
    plain = url.replace("+asyncpg", "")
    connection = await asyncpg.connect(plain, ssl=context or "disable")
    try:
        return await connection.fetchval(
            "SELECT client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        )
    finally:
        await connection.close()


def test_a_broker_speaks_tls_with_whoever_has_a_certificate(
    authority: Authority, tls_broker: RabbitServer
) -> None:
    ask_broker(tls_broker, trusting(authority, authority.issue("client.test")))


def test_a_broker_lets_nobody_in_who_has_none(
    authority: Authority, tls_broker: RabbitServer, tmp_path: Path
) -> None:
    for held in (None, Authority(tmp_path, "theirs").issue("client.test")):
        with pytest.raises((AMQPConnectionError, ssl.SSLError)):
            ask_broker(tls_broker, trusting(authority, held))


async def test_a_database_speaks_tls_with_whoever_has_a_certificate_and_the_password(
    authority: Authority, tls_postgres: PostgresServer
) -> None:
    url = tls_postgres.url_of("postgres")
    context = trusting(authority, authority.issue("client.test"))

    assert "/CN=client" in str(await ask_database(url, context))
    with pytest.raises(InvalidPasswordError):
        await ask_database(str(URL(url).with_password("wrong")), context)


async def test_a_database_lets_nobody_in_without_tls_or_without_a_certificate(
    authority: Authority, tls_postgres: PostgresServer
) -> None:
    url = tls_postgres.url_of("postgres")
    for context in (None, trusting(authority)):
        with pytest.raises(InvalidAuthorizationSpecificationError):
            await ask_database(url, context)

import socket

from deploy.servers.ports import LOOPBACK, free_ports


def test_free_ports_differ_and_can_be_listened_on() -> None:
    ports = free_ports(5)
    assert len(set(ports)) == 5
    for port in ports:
        with socket.create_server((LOOPBACK, port)):
            pass


def test_free_ports_are_never_those_of_outgoing_connections() -> None:
    assert all(1024 < port < 32_768 for port in free_ports(50))

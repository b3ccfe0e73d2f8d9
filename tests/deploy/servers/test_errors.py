from deploy.servers.errors import NoServerFoundError


def test_a_missing_server_is_told_in_two_lines_that_say_what_to_install() -> None:
    error = NoServerFoundError("RabbitMQ", "rabbitmq-server", ["no Docker engine answers"])
    why, what_to_do = str(error).splitlines()
    assert "no Docker engine answers" in why
    assert "apt-get install rabbitmq-server" in what_to_do

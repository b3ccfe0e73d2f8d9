"""Find or start a broker, run the demo on it, and leave nothing behind."""

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from consumer.errors import SettingsError
from consumer.settings import Settings
from deploy.demo import child
from deploy.demo.named_broker import place_on
from deploy.demo.place import DemoError, Place
from deploy.servers import ServerError, find_rabbitmq
from deploy.servers.folders import temporary_folder
from deploy.servers.watch import Watch

_DATABASE_FILES = ("database_ca", "database_cert", "database_key")


@contextmanager
def _place() -> Iterator[Place]:
    if "POINTSMAN_AMQP_URL" in os.environ:
        # The database is the demo's own, whatever files are set for another.
        settings = Settings.from_environment(**dict.fromkeys(_DATABASE_FILES))
        with place_on(settings.broker) as place:
            yield place
        return
    start = find_rabbitmq()
    sys.stderr.write("Starting a RabbitMQ of the demo's own ...\n")
    with start() as server:
        yield Place(server.url)


def main() -> int:
    """The demo's exit code; 1 with one line, or two, where it can't begin."""
    # What goes wrong is told in one line below; the client library would tell it at length.
    logging.getLogger("pika").addHandler(logging.NullHandler())
    for number in child.SIGNALS:
        signal.signal(number, child.raise_stopped)
    try:
        with Watch() as watch, temporary_folder(watch) as folder, _place() as place:
            pointsman = str(Path(sys.executable).with_name("pointsman"))
            settings = child.environment(os.environ, place, folder)
            return child.run([pointsman, "demo"], settings, watch)
    except (DemoError, ServerError, SettingsError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except child.StoppedError as stopped:
        return 128 + stopped.number


if __name__ == "__main__":
    sys.exit(main())

from consumer.health.readiness import Obstacle, Readiness


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_consumer_is_not_ready_before_it_has_a_connection() -> None:
    readiness = Readiness()
    assert not readiness.is_ready
    readiness.clear(Obstacle.BROKER)
    assert readiness.is_ready


def test_it_is_ready_only_when_every_obstacle_is_gone() -> None:
    readiness = Readiness()
    readiness.hinder(Obstacle.DATABASE, "connection refused")
    readiness.clear(Obstacle.BROKER)
    assert {each: found.why for each, found in readiness.hindrances.items()} == {
        Obstacle.DATABASE: "connection refused"
    }
    readiness.clear(Obstacle.DATABASE)
    assert readiness.is_ready


def test_an_obstacle_lasts_from_when_it_was_first_seen() -> None:
    clock = Clock()
    readiness = Readiness(clock)
    readiness.hinder(Obstacle.DATABASE, "first")
    clock.now += 7
    readiness.hinder(Obstacle.DATABASE, "second")
    clock.now += 3
    assert readiness.seconds(Obstacle.DATABASE) == 10
    assert readiness.hindrances[Obstacle.DATABASE].why == "first"
    readiness.clear(Obstacle.DATABASE)
    assert readiness.seconds(Obstacle.DATABASE) == 0


def test_each_pause_is_counted_once_however_often_it_is_noticed() -> None:
    readiness = Readiness()
    for _ in range(2):
        readiness.hinder(Obstacle.DATABASE, "gone")
        readiness.hinder(Obstacle.DATABASE, "still gone")
        readiness.clear(Obstacle.DATABASE)
    assert readiness.pauses == {Obstacle.DATABASE: 2}


def test_one_that_was_told_to_stop_is_not_ready_and_has_not_paused() -> None:
    readiness = Readiness()
    readiness.clear(Obstacle.BROKER)
    readiness.stop()
    assert not readiness.is_ready
    assert list(readiness.hindrances) == [Obstacle.STOPPING]
    assert readiness.pauses == {}

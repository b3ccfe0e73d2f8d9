from pathlib import Path

from tests.soak import gauges
from tests.soak.gauges import of_consumer
from tests.soak.load_gauge import percentile
from tests.soak.panels import rate
from tests.soak.picture import draw
from tests.soak.samples import AT, Point, SampleFile, read_samples
from tests.soak.schedule import FaultSpan

ROWS = [
    {AT: 0.0, gauges.SENT: 0.0, of_consumer(gauges.USS, 1): 1024.0, gauges.P99: 0.125},
    {AT: 5.0, gauges.CHANNELS: 23.0},
    {AT: 10.0, gauges.SENT: 1000.0, of_consumer(gauges.USS, 1): 2048.0},
]


def test_samples_can_be_read_back_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "samples.csv"
    with path.open("w", newline="") as file:
        writing = SampleFile(file, consumers=1)
        for row in ROWS:
            writing.write(row)
        assert read_samples(path).rows == ROWS


def test_a_series_leaves_out_what_could_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "samples.csv"
    with path.open("w", newline="") as file:
        writing = SampleFile(file, consumers=1)
        for row in ROWS:
            writing.write(row)
    samples = read_samples(path)
    assert samples.series(gauges.SENT) == [Point(0, 0), Point(10, 1000)]
    assert samples.series(gauges.SESSIONS) == []


def test_a_count_becomes_a_rate() -> None:
    assert rate([Point(0, 0), Point(10, 1000), Point(10, 1000), Point(12, 1000)]) == [
        Point(10, 100),
        Point(12, 0),
    ]


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([1], 99) == 1
    assert percentile([1, 2, 3], 50) == 2
    assert percentile(list(range(1, 101)), 99) == 99


def test_a_picture_is_drawn_of_whatever_there_is(tmp_path: Path) -> None:
    samples_path, picture = tmp_path / "samples.csv", tmp_path / "soak.png"
    with samples_path.open("w", newline="") as file:
        writing = SampleFile(file, consumers=2)
        for row in ROWS:
            writing.write(row)
    draw(read_samples(samples_path), [FaultSpan("broker restarted", 2, 4)], picture)
    assert picture.read_bytes().startswith(b"\x89PNG")

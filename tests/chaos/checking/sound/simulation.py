"""A consumer that decides as the real one does, and is killed now and then."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from consumer.broker.messages import Delivery, Properties
from consumer.dead_letters.letters import LetterWriter
from consumer.topology.names import DEAD_LETTERS, DELAY_LEVELS, delay_level, partition_queue
from consumer.wire.requests import Reading, Request
from consumer.worker.deciding import Decider, Statute
from consumer.worker.outcomes import Outcome, RequestKey
from consumer.worker.publishing import decision_messages
from consumer.worker.recording import Answering, Forwarding
from consumer.worker.rounds import Router
from consumer.worker.setbacks import backoff_seconds
from persistence.records import BegunRecord
from rules import OrchestrationSettings
from rules.policies import CoreFlowPolicy
from tests.chaos.checking.sound.broker import Broker, Coming
from tests.chaos.checking.sound.policy import ExplosiveTaskPolicy
from tests.chaos.checking.sound.scripts import BOSS, LIMITS, REPLIES, Author, Item
from tests.chaos.checking.sound.session import KeepingSession
from tests.chaos.history import (
    History,
    QueueAtEnd,
    Rows,
    RunAtEnd,
    Sent,
    SlotAtEnd,
    StateAtEnd,
)
from tests.consumer.wire.messages import READER
from tests.memory.tables import Tables

START = datetime(2026, 1, 1, tzinfo=UTC)
PARTITIONS = 4
_LANES = 3
_A_MOMENT = timedelta(microseconds=37)


async def sound_history(seed: int, runs: int = 36) -> History:
    """A history in which nothing is wrong, another one for each seed."""
    simulation = Simulation(Random(seed))  # noqa: S311  a history is no secret
    simulation.send(runs)
    await simulation.govern()
    return simulation.history()


@dataclass(slots=True)
class Simulation:
    """Sends scripts, governs what comes until nothing does, and tells the history."""

    rng: Random
    now: datetime = START
    sent: list[Sent] = field(default_factory=list)
    _tables: Tables = field(default_factory=lambda: Tables(limits=dict(LIMITS)))
    _router: Router = field(default_factory=lambda: Router(PARTITIONS))
    _confirmed: set[RequestKey] = field(default_factory=set)
    _followers: Counter[UUID] = field(default_factory=Counter)
    _broker: Broker = field(init=False)
    _session: KeepingSession = field(init=False)
    _decider: Decider = field(init=False)

    def __post_init__(self) -> None:
        statute = Statute(
            settings=OrchestrationSettings(slot_delay_seconds=20),
            flow_policy=CoreFlowPolicy,
            task_policy=ExplosiveTaskPolicy,
            force_users=frozenset({BOSS}),
        )
        answering = Answering(self._router, LetterWriter("simulated"))
        self._broker = Broker(self.rng)
        self._session = KeepingSession(self._tables)
        self._decider = Decider(statute, answering, lambda: self.now)

    def send(self, runs: int) -> None:
        """Send the scripts of so many runs, each by one lane, all at the same time."""
        scripts = [list(script) for script in Author(self.rng, START).scripts(runs)]
        lanes = [self.rng.randrange(_LANES) for _ in scripts]
        at = START
        while left := [number for number, script in enumerate(scripts) if script]:
            number = self.rng.choice(left)
            at += timedelta(milliseconds=self.rng.randint(1, 40))
            self._send(scripts[number].pop(0), lanes[number], at)

    def _send(self, item: Item, lane: int, at: datetime) -> None:
        copies = 1 if item.smooth else self.rng.choice((1, 1, 1, 1, 2, 3))
        confirmed = item.smooth or copies > 1 or self.rng.random() < 0.95
        detoured = not item.smooth and self.rng.random() < 0.05
        sent = Sent(
            request_id=item.request_id,
            run_id=item.run_id,
            kind=item.kind,
            body=item.body,
            lane=lane,
            position=len(self.sent),
            confirmed=confirmed,
            copies=copies,
            on_delay=item.on_delay,
            correlation_id=self.rng.choice((None, f"c-{len(self.sent)}")),
            reply_to=REPLIES if item.smooth else self.rng.choice((None, REPLIES)),
            detoured=detoured,
            faulty=item.faulty,
        )
        self.sent.append(sent)
        if confirmed or self.rng.random() < 0.5:
            late = timedelta(milliseconds=self.rng.randint(100, 900) if detoured else 0)
            self._broker.bring(at + late, Coming(item, _delivery(item, sent)))
        for _ in range(copies - 1):
            late = timedelta(seconds=self.rng.uniform(0, 60))
            self._broker.bring(at + late, Coming(item, _delivery(item, sent)))

    async def govern(self) -> None:
        """Govern until nothing comes any more."""
        while (came := self._broker.next()) is not None:
            at, coming = came
            self.now = max(self.now + _A_MOMENT, at)
            reading = READER.read(coming.delivery)
            if isinstance(reading, Request) and self._set_back(reading, coming.item):
                continue
            if self.rng.random() < 0.1:
                self._publish(await self._decide(reading), coming.item, killed=True)
                self.now += timedelta(seconds=self.rng.uniform(0, 3))
            self._publish(await self._decide(reading), coming.item)

    async def _decide(self, reading: Reading) -> Outcome:
        forwarding = Forwarding(confirmed=frozenset(self._confirmed))
        return await self._decider.decide(self._session.for_decider(), reading, forwarding)

    def _publish(self, outcome: Outcome, item: Item, *, killed: bool = False) -> None:
        """Publish all, or if the consumer is killed over it some; then nothing is confirmed."""
        if outcome.forward is not None and not (killed and self.rng.random() < 0.5):
            self._broker.publish(outcome.forward, item, self.now)
        for message in decision_messages(outcome):
            if not (killed and self.rng.random() < 0.5):
                self._broker.publish(message, item, self.now)
        if outcome.forwards is not None and not killed:
            self._confirmed.add(outcome.forwards)

    def _set_back(self, request: Request, item: Item) -> bool:
        """Send a request to the ladder over which a hook fails, or that follows such a one."""
        attempt = request.envelope.claimed_attempt
        key = (request.request_id, attempt)
        counted = self._session.counts.get(key)
        failures = 0 if counted is None else counted.failures
        if key in self._session.records:
            return False
        if failures < item.failures:
            self._session.counts[key] = BegunRecord(
                request_id=request.request_id,
                attempt=attempt,
                run_id=request.run_id,
                body_sha256=request.envelope.digest,
                user_id=None,
                begun=0,
                failures=failures + 1,
            )
            self._followers[request.run_id] = self.rng.randint(0, 2)
        elif self._followers[request.run_id] > 0:
            self._followers[request.run_id] -= 1
        else:
            return False
        forward = self._router.round(
            request.envelope,
            request.run_id,
            seconds=backoff_seconds(failures + 1),
            attempt=attempt,
            failures=failures + 1,
        )
        self._broker.publish(forward, item, self.now)
        return True

    def history(self) -> History:
        """What is left of it."""
        rows = Rows(
            decisions=[
                # A consumer that was killed before it could mark it has not.
                replace(record, forwarded=key in self._confirmed and self.rng.random() < 0.9)
                for key, record in self._session.records.items()
            ],
            states=self._states(),
            runs=[
                RunAtEnd(
                    id=run.id,
                    kind=run.kind,
                    version=run.version,
                    state_id=run.state_id,
                    state_type=run.state_type,
                    tags=run.tags,
                )
                for run in self._tables.runs.values()
            ],
            slots=[
                SlotAtEnd(tag=slot.tag, task_run_id=slot.holder)
                for slot in sorted(self._tables.slots, key=lambda slot: (slot.tag, slot.holder))
            ],
            limits=LIMITS,
            letters=list(self._broker.letters.values()),
            begun=list(self._session.counts.values()),
        )
        queues = [partition_queue(number) for number in range(PARTITIONS)]
        queues += [DEAD_LETTERS, *map(delay_level, range(DELAY_LEVELS))]
        return History(
            sent=self.sent,
            heard=self._broker.heard,
            rows=rows,
            queues={name: QueueAtEnd(ready=0, unacknowledged=0) for name in queues},
        )

    def _states(self) -> list[StateAtEnd]:
        versions: Counter[UUID] = Counter()
        states: list[StateAtEnd] = []
        for row in self._tables.states:
            versions[row.run_id] += 1
            state = StateAtEnd(
                id=row.state.id,
                run_id=row.run_id,
                version=versions[row.run_id],
                type=row.state.type,
                name=row.state.name,
            )
            states.append(state)
        return states


def _delivery(item: Item, sent: Sent) -> Delivery:
    properties = Properties(
        message_id=sent.request_id,
        correlation_id=sent.correlation_id,
        reply_to=sent.reply_to,
        user_id=item.user_id,
    )
    return Delivery(
        body=sent.body,
        properties=properties,
        exchange="pointsman.requests",
        routing_key="00",
        redelivered=False,
        tag=1,
    )

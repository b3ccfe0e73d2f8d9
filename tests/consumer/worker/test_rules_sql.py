"""What a rule's own SQL does to the database is that request's failure, and stops nobody else."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rules.identifiers import uuid7
from tests.consumer.worker.governors import decided, governing, migrated, reading
from tests.consumer.worker.test_blame import another_user, proposal
from tests.consumer.worker.trouble import Troubled, policy_with


class Base(DeclarativeBase):
    """The rule's tables."""


class Note(Base):
    """One that the database is long in writing."""

    __tablename__ = "note"

    id: Mapped[int] = mapped_column(primary_key=True)


class LeavesNotes(Troubled):
    """Leaves it to the end of the transaction to write what it adds."""

    async def after_transition(self, *_: object) -> None:
        if self.is_due:
            (await self.context.session.sql()).add(Note(id=1))


class HitsLimit(Troubled):
    """Needs more than the server lets it have."""

    async def after_transition(self, *_: object) -> None:
        if self.is_due:
            sorting = (
                "SELECT count(*) FROM (SELECT g FROM generate_series(1, 99999) g ORDER BY -g) s"
            )
            await (await self.context.session.sql()).execute(text(sorting))


@pytest.fixture
def url(postgres_url: str) -> str:
    return migrated(postgres_url)


@pytest.mark.parametrize(
    "writing",
    [
        pytest.param("PERFORM pg_sleep(1)", id="longer than a batch may take"),
        pytest.param(
            "RAISE EXCEPTION 'canceled' USING ERRCODE = '57014'", id="longer than a statement may"
        ),
    ],
)
async def test_what_a_rule_left_to_be_written_takes_too_long(url: str, writing: str) -> None:
    run_id = uuid7()
    policy = policy_with(LeavesNotes, run_id)
    async with another_user(url) as other:
        await other.execute(f"""
            CREATE TABLE note (id int PRIMARY KEY);
            CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql
                AS $$ BEGIN {writing}; RETURN NEW; END $$;
            CREATE TRIGGER slowly BEFORE INSERT ON note
                FOR EACH ROW EXECUTE FUNCTION slowly();
        """)
    async with governing(url, policy, max_failures=0, seconds=0.5) as bench:
        bad, good = await bench.govern(
            reading(proposal("RUNNING", run_id), "bad"),
            reading(proposal("RUNNING", uuid7()), "good"),
        )
    assert (decided(bad)["decision"], decided(bad)["code"]) == ("abort", "failed")
    assert decided(good)["decision"] == "accept"


async def test_a_rule_that_needs_more_than_a_limit_of_the_servers_is_not_waited_for(
    url: str,
) -> None:
    run_id = uuid7()
    async with another_user(url) as other:
        await other.execute("""
            DO $$ BEGIN
                EXECUTE format('ALTER DATABASE %I SET temp_file_limit = 64', current_database());
                EXECUTE format('ALTER DATABASE %I SET work_mem = 64', current_database());
            END $$
        """)
    async with governing(url, policy_with(HitsLimit, run_id), max_failures=0) as bench:
        [outcome] = await bench.govern(reading(proposal("RUNNING", run_id)))
    assert (decided(outcome)["decision"], decided(outcome)["code"]) == ("abort", "failed")

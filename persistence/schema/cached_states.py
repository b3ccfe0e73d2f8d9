"""States that are remembered under a cache key."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from persistence.schema.base import Base
from persistence.schema.types import moment


class CachedStateRow(Base):
    """A state under a cache key, until ``expiration`` or for ever; of one key the newest wins.

    ``id`` counts up as states are remembered. ``key_digest`` stands for the key in the index, where
    a long one would not fit.
    """

    __tablename__ = "cached_state"
    __table_args__ = (Index(None, "key_digest", "id"),)

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    key_digest: Mapped[UUID] = mapped_column(Uuid)
    cache_key: Mapped[str] = mapped_column(Text)
    state_id: Mapped[UUID] = mapped_column(ForeignKey("run_state.id", ondelete="CASCADE"))
    expiration: Mapped[datetime | None] = mapped_column(moment())
    created: Mapped[datetime] = mapped_column(moment())

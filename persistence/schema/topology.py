"""What was fixed when the topology was first declared."""

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from persistence.schema.base import Base


class TopologyRow(Base):
    """A number by its name."""

    __tablename__ = "topology"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[int]

"""What all tables share."""

from typing import cast

from sqlalchemy import MetaData, Table
from sqlalchemy.orm import DeclarativeBase

_NAMES = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
}


class Base(DeclarativeBase):
    """The root of the models; constraints and indexes have names that migrations can use."""

    metadata = MetaData(naming_convention=_NAMES)


def table_of(model: type[Base]) -> Table:
    """The table of a model, for Core statements: no object of the model is ever made."""
    return cast("Table", model.__table__)

"""The night's flows: exchange rates, each region's orders, the stock-taking, the report."""

from collections.abc import Iterator

from consumer.demo.plans import FlowPlan, TaskPlan
from rules.runs import RunPolicy
from rules.states import StateName, StateType

WAREHOUSE_SLOTS = 2

_NIGHTLY = "nightly"
_RATES = "rates"
_REGIONS = {"north": 1204, "south": 873, "east": 655, "west": 940, "coast": 312, "isles": 48}
_PATIENT = RunPolicy(retries=2, retry_delay=1)


def warehouse_tag(edition: str) -> str:
    """The tag of what reads the warehouse, where only so many may at a time."""
    return f"warehouse-{edition}"


def flows(edition: str) -> Iterator[FlowPlan]:
    """All flows that workers run, with their subflows inside."""
    rates_key = f"exchange-rates-{edition}"
    fetch = TaskPlan(name="fetch", seconds=0.8, cache_key=rates_key, data={"EUR": 1, "SEK": 11.2})
    yield FlowPlan(name=_RATES, stages=((fetch,),), deployment=_NIGHTLY)
    for place, (region, orders) in enumerate(_REGIONS.items()):
        yield _orders(region, orders, place, warehouse_tag(edition), rates_key)
    yield _inventory()
    yield _report()


def _orders(region: str, orders: int, place: int, tag: str, rates_key: str) -> FlowPlan:
    """Extract, then transform beside the rates that are known already, then load."""
    extract = TaskPlan(name="extract", seconds=0.9, tags=(tag,), data={"orders": orders})
    transform = TaskPlan(
        name="transform",
        seconds=0.8,
        endings=_after_failures(1 if region == "west" else 0),
        policy=_PATIENT,
    )
    rates = TaskPlan(name="rates", cache_key=rates_key, ends_as=StateName.CACHED)
    load = TaskPlan(
        name="load",
        seconds=0.6,
        endings=_after_failures(2 if region == "south" else 0),
        policy=_PATIENT,
        data={"rows": orders * 3},
    )
    return FlowPlan(
        name=region,
        stages=((extract,), (transform, rates), (load,)),
        after=(_RATES,),
        seconds=0.25 * place,
        deployment=_NIGHTLY,
    )


def _after_failures(number: int) -> tuple[StateType, ...]:
    return (*[StateType.FAILED] * number, StateType.COMPLETED)


def _inventory() -> FlowPlan:
    """The task's retries are used up, so the flow fails, is tried again, and succeeds."""
    reconcile = TaskPlan(
        name="reconcile",
        seconds=0.7,
        endings=_after_failures(2),
        policy=RunPolicy(retries=1, retry_delay=1),
    )
    return FlowPlan(
        name="stock",
        stages=((TaskPlan(name="count", seconds=0.8, data={"items": 5120}),), (reconcile,)),
        seconds=0.4,
        deployment=_NIGHTLY,
        policy=RunPolicy(retries=1, retry_delay=2),
    )


def _report() -> FlowPlan:
    """When all orders are in: collect, draw the charts in a subflow, and mail them."""
    charts = FlowPlan(
        name="charts",
        stages=((TaskPlan(name="sales", seconds=0.9), TaskPlan(name="stock", seconds=0.6)),),
    )
    return FlowPlan(
        name="report",
        stages=(
            (TaskPlan(name="collect", seconds=0.8),),
            (charts,),
            (TaskPlan(name="mail", seconds=0.5, data={"sent": True}),),
        ),
        after=tuple(_REGIONS),
        deployment=_NIGHTLY,
    )

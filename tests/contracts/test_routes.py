"""No request is ever handed to a thread: each hop there and back costs more than the work it carries, and waits for
whatever else runs."""

import inspect
from collections.abc import Iterator

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from retinue.api import routes


def calls(dependant: Dependant) -> Iterator[object]:
    """The function that this stands for, and all that it depends on."""
    yield dependant.call
    for one in dependant.dependencies:
        yield from calls(one)


def test_every_route_and_all_it_depends_on_runs_in_the_loop() -> None:
    found = [route for router in routes.ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    assert len(found) > 90
    asked = {call for route in found for call in calls(route.dependant)}
    assert len(asked) > len(found)
    assert [call for call in asked if not inspect.iscoroutinefunction(call)] == []

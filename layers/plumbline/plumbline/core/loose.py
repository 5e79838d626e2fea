"""Methods that somebody keeps who is kept by their owner. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakMethod

_T = TypeVar("_T")


def loosely(method: Callable[..., _T]) -> Callable[..., _T]:
    """A method that does not keep its object, for what its object keeps, such as a cache of its answers.

    Otherwise both would be kept by each other until the next collection, a whole account with them; and while a process
    starts nobody collects (`handlers/coldstart.py`): ten accounts of five thousand roles are half a gigabyte.

    Args:
        method: bound to its object, which outlives every call.
    """
    weak = WeakMethod(method)

    def call(*given: Any) -> _T:  # noqa: ANN401 -- whatever the method takes
        found = weak()
        assert found is not None  # noqa: S101 -- whoever calls holds the object
        return found(*given)

    return call

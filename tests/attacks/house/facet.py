"""One kind of thing that is read, compared and put back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

#: A client of a service, acting as an administrator, or as whom it is told.
Clients = Callable[..., Any]
#: Where something was written: the service, and the region.
Written = tuple[str, str]
#: What was read of one thing, by the thing's name.
Seen = Mapping[str, Any]
#: What is not as it was: the kind, the thing, how it was, how it is.
Difference = tuple[str, str, Any, Any]

PREFIX = "plumbline"


@dataclass(frozen=True, slots=True)
class Facet:
    """One kind of thing.

    Attributes:
        read: everything of the kind, by name.
        mend: puts one back: its name, how it was, how it is; None where it was not there, or is not.
        service: whose calls change it; each, where it is empty.
        region: where it lies; where that is all the same to its service, empty.
    """

    read: Callable[[Clients], Seen]
    mend: Callable[[Clients, str, Any, Any], None]
    service: str = ""
    region: str = ""

    def is_written_by(self, one: Written) -> bool:
        """Whether a call may have changed one of the kind: a stack's may have changed anything where it is."""
        service, region = one
        of_it = not self.service or service in (self.service, "cloudformation")
        return of_it and self.region in ("", region)


def absent(ask: Callable[..., Any], **parameters: Any) -> Any:
    """An answer without what AWS adds to each; None for what is not there."""
    try:
        answer = dict(ask(**parameters))
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if any(word in code for word in ("NotFound", "NoSuch", "NotExist", "NonExistent")):
            return None
        raise
    answer.pop("ResponseMetadata", None)
    return answer


def without(one: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in one.items() if name not in names}

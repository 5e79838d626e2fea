"""The default event bus: what happens to findings, for other programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plumbline.adapters.clients import ClientFactory, perform
from plumbline.core.calls import Call
from plumbline.core.errors import AwsRefusal

SOURCE = "plumbline"
#: PutEvents takes no more in one call.
_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class Bus:
    """An event bus.

    Attributes:
        clients: the client factory.
        region: where it is.
    """

    clients: ClientFactory
    region: str

    def put(self, detail_type: str, details: Sequence[Mapping[str, Any]]) -> None:
        """Send events.

        Raises:
            AwsRefusal: EventBridge did not take all of them; some may be on their way.
        """
        entries = [{"Source": SOURCE, "DetailType": detail_type, "Detail": json.dumps(one)} for one in details]
        for first in range(0, len(entries), _AT_ONCE):
            call = Call("events", "PutEvents", {"Entries": entries[first : first + _AT_ONCE]})
            answer = perform(self.clients("", self.region, "events"), call)
            failed = [one for one in answer.get("Entries", ()) if one.get("ErrorCode")]
            if failed:
                raise AwsRefusal(failed[0]["ErrorCode"], failed[0].get("ErrorMessage", ""), call)

"""What botocore knows of AWS's services, cut to what Plumbline uses, with the runtime's own knowledge behind it.

The layer's build writes the cut models (sdk_extract.py). They may come from another botocore than the runtime's, which
AWS renews when it likes. So a model is used only where the runtime's own says the same of the service as a whole: its
protocols, its signature, its version. Models that agree there differ by operations and members that were added, and AWS
takes back nothing that it has published.

Every client made of a cut model has a twin made of the runtime's own: for an operation that was cut away, and for
models that this botocore cannot work with. Without cut models every client is made of the runtime's own.
"""

from __future__ import annotations

import gzip
import json
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import RLock
from typing import Any

from plumbline.adapters.connections import Connections

# os.path: pathlib is not loaded on the way to a cold wake
DATA = os.path.join(os.path.dirname(os.path.dirname(__file__)), "sdk", "data")  # noqa: PTH118, PTH120
_MODEL = "service-2"
#: Characters. botocore's models begin with what they say of the service as a whole, in less than half of this.
_HEAD = 4096
#: Under this name a client finds its twin; botocore's own have nothing of that name.
_TWIN = "plumbline_twin"
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6})?Z")

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Models:
    """Makes clients, of cut models where those serve.

    Attributes:
        folder: the cut models, laid out as botocore's data are.
        connections: what all clients share.
    """

    folder: str = DATA
    connections: Connections = field(default_factory=Connections)
    _cut: Any = field(default=None, repr=False)
    _whole: Any = field(default=None, repr=False)
    _judged: dict[str, bool] = field(default_factory=dict, repr=False)
    #: Clients may be used by many threads, and made by one; a twin is made by who first needs it.
    _one_at_a_time: RLock = field(default_factory=RLock, repr=False)

    def client(self, service: str, **options: Any) -> Any:  # noqa: ANN401 - botocore has no static types
        """A client, made with the options of botocore's `create_client`.

        Raises:
            BotoCoreError: there is no such service or region, or there are no credentials.
        """
        if not self._serves(service):
            return self._of_whole(service, options)
        try:
            client = self.connections.client(self._cut, service, **options)
        except Exception as error:  # noqa: BLE001 - if the models are not to blame, botocore's own fail alike
            self._refuse(service, error)
            return self._of_whole(service, options)
        twins: list[Any] = []

        def twin(reason: object) -> Any:  # noqa: ANN401
            if reason is not None and not twins:
                with self._one_at_a_time:
                    if not twins:
                        self._refuse(service, reason)
                        twins.append(self._of_whole(service, options))
            return twins[0] if twins else None

        setattr(client, _TWIN, twin)
        return client

    def _of_whole(self, service: str, options: Mapping[str, Any]) -> Any:  # noqa: ANN401
        import botocore.session  # half of a cold start; a wake that is refused early does not pay it

        if self._whole is None:
            self._whole = _reading_times(botocore.session.get_session())
        return self.connections.client(self._whole, service, **options)

    def _serves(self, service: str) -> bool:
        if service not in self._judged:
            told = os.environ.get("AWS_DATA_PATH") or not os.path.isdir(os.path.join(self.folder, service))  # noqa: PTH112, PTH118
            self._judged[service] = not told and self._agrees(service)
        return self._judged[service]

    def _agrees(self, service: str) -> bool:
        """Whether a service's cut model and the runtime's say the same of the service as a whole."""
        try:
            if self._cut is None:
                self._cut = _session_with(self.folder)
            cut = self._cut.get_component("data_loader").load_service_model(service, _MODEL)["metadata"]
            agrees: bool = cut == _head(service, cut["apiVersion"])
        except Exception as error:  # noqa: BLE001 - whatever is wrong with them: there are others
            self._refuse(service, error)
            return False
        if not agrees:
            self._refuse(service, "the runtime's botocore speaks to it in another way")
        return agrees

    def _refuse(self, service: str, reason: object) -> None:
        self._judged[service] = False
        _log.warning("the layer's model of %s is not used, but botocore's own: %s", service, reason)


def twin_of(client: Any, reason: object = None) -> Any | None:  # noqa: ANN401
    """The client to use instead, made of the runtime's own models; None where there is no need of one.

    Args:
        client: one of `Models.client`, or any other.
        reason: what is wrong with it, for the log; None to ask whether something was, before.
    """
    find = getattr(client, "__dict__", {}).get(_TWIN)
    return find and find(reason)


def _session_with(folder: str) -> Any:  # noqa: ANN401
    """A botocore session that finds a folder where it has its own data."""
    import botocore.session
    from botocore.loaders import Loader

    class Cut(Loader):  # type: ignore[misc] # botocore has no static types
        BUILTIN_DATA_PATH = folder

    session = botocore.session.get_session()
    session.register_component("data_loader", Cut())
    return _reading_times(session)


def _reading_times(session: Any) -> Any:  # noqa: ANN401
    """The session, with times that are UTC and no more.

    Where the machine's clock shows UTC, as on Lambda, botocore gives each time a time zone of its own that takes ten
    times its room; an account of thousands of users has tens of thousands of times.
    """
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_time)
    return session


def _time(said: Any) -> datetime:  # noqa: ANN401 - a text, or seconds since 1970
    """A time as AWS says it."""
    if isinstance(said, str) and _ISO.fullmatch(said):
        return datetime.fromisoformat(f"{said[:-1]}+00:00")
    from botocore.utils import parse_timestamp

    found: datetime = parse_timestamp(said)
    return found


def _head(service: str, version: str) -> Mapping[str, Any]:
    """What the runtime's botocore says of a service as a whole, without reading the rest of its model."""
    from botocore.loaders import Loader

    path = os.path.join(Loader.BUILTIN_DATA_PATH, service, version, f"{_MODEL}.json.gz")  # noqa: PTH118
    with gzip.open(path, "rt", encoding="utf-8") as model:
        text = model.read(_HEAD)
    metadata: Mapping[str, Any] = json.JSONDecoder().raw_decode(text, text.index("{", text.index('"metadata"')))[0]
    return metadata

"""IAM Access Analyzer, of which moto knows nothing, as a service of its own for it.

Supplied: analyzers by region, one of a type, and the list of findings. Nothing is analysed: what is found, a test says
by `found`, and what became of it by `settled`.

Source: IAM Access Analyzer API reference, CreateAnalyzer, DeleteAnalyzer, ListAnalyzers, ListFindings; IAM user
guide, IAM Access Analyzer quotas.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

from moto import backend_index
from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.exceptions import JsonRESTError
from moto.core.responses import BaseResponse

SERVICE = "accessanalyzer"
_MADE = "2026-03-02T09:30:00Z"


class _Refused(JsonRESTError):  # type: ignore[misc]
    """What the service refuses."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = status


class AccessAnalyzerBackend(BaseBackend):  # type: ignore[misc]
    """The analyzers and findings of an account and region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.analyzers: dict[str, dict[str, Any]] = {}
        self.findings: list[dict[str, Any]] = []

    @property
    def _url_module(self) -> Any:  # noqa: ANN401
        return sys.modules[__name__]

    def create(self, name: str, kind: str) -> str:
        """Make an analyzer; its ARN."""
        if name in self.analyzers:
            raise _Refused(409, "ConflictException", f"Analyzer {name} exists")
        if any(one["type"] == kind for one in self.analyzers.values()):
            raise _Refused(402, "ServiceQuotaExceededException", f"One analyzer of type {kind} is the most")
        arn = f"arn:{self.partition}:access-analyzer:{self.region_name}:{self.account_id}:analyzer/{name}"
        made = {"arn": arn, "name": name, "type": kind, "createdAt": _MADE, "status": "ACTIVE"}
        self.analyzers[name] = made
        return arn

    def delete(self, name: str) -> None:
        """Delete an analyzer, with what it found."""
        if name not in self.analyzers:
            raise _Refused(404, "ResourceNotFoundException", f"Analyzer {name} does not exist")
        arn = self.analyzers.pop(name)["arn"]
        self.findings = [one for one in self.findings if one["analyzer"] != arn]


accessanalyzer_backends = BackendDict(AccessAnalyzerBackend, SERVICE)


class AccessAnalyzerResponse(BaseResponse):  # type: ignore[misc]
    """Requests of the service."""

    def __init__(self) -> None:
        super().__init__(service_name=SERVICE)

    @property
    def backend(self) -> AccessAnalyzerBackend:
        """Of the account and region that is asked."""
        backend: AccessAnalyzerBackend = accessanalyzer_backends[self.current_account][self.region]
        return backend

    def create_analyzer(self) -> str:
        """See the API reference."""
        return json.dumps({"arn": self.backend.create(self._get_param("analyzerName"), self._get_param("type"))})

    def delete_analyzer(self) -> str:
        """See the API reference."""
        self.backend.delete(unquote(self.path.rpartition("/")[2]))
        return "{}"

    def list_analyzers(self) -> str:
        """See the API reference."""
        kind = self._get_param("type")
        return json.dumps(
            {"analyzers": [one for one in self.backend.analyzers.values() if kind in (None, one["type"])]}
        )

    def list_findings(self) -> str:
        """See the API reference; of filters, `eq` is understood."""
        arn, wanted = self._get_param("analyzerArn"), self._get_param("filter") or {}
        if arn not in {one["arn"] for one in self.backend.analyzers.values()}:
            raise _Refused(404, "ResourceNotFoundException", f"Analyzer {arn} does not exist")
        return json.dumps(
            {
                "findings": [
                    {name: value for name, value in one.items() if name != "analyzer"}
                    for one in self.backend.findings
                    if one["analyzer"] == arn and all(one.get(key) in test["eq"] for key, test in wanted.items())
                ]
            }
        )


url_bases = [r"https?://access-analyzer\.(.+)\.amazonaws\.com"]
url_paths = {
    "{0}/analyzer$": AccessAnalyzerResponse.dispatch,
    "{0}/analyzer/(?P<analyzerName>[^/]+)$": AccessAnalyzerResponse.dispatch,
    "{0}/finding$": AccessAnalyzerResponse.dispatch,
}


def install() -> None:
    """Add the service to this process's moto; again, change nothing."""
    if SERVICE in dict(backend_index.backend_url_patterns):
        return
    sys.modules[f"moto.{SERVICE}"] = sys.modules[__name__]
    backend_index.backend_url_patterns.append((SERVICE, re.compile(url_bases[0])))


def found(account: str, region: str, resource: str, kind: str, more: Mapping[str, Any] | None = None) -> str:
    """Let the analyzer of external access of a region find something; the finding's id.

    Args:
        account: twelve digits.
        region: of the analyzer, which there has to be.
        resource: the ARN of what lets somebody in.
        kind: its type, as `AWS::IAM::Role`.
        more: further fields of the finding.
    """
    backend = accessanalyzer_backends[account][region]
    analyzer = next(one["arn"] for one in backend.analyzers.values() if one["type"] in ("ACCOUNT", "ORGANIZATION"))
    at = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    one = {
        "analyzer": analyzer,
        "id": str(uuid4()),
        "resource": resource,
        "resourceType": kind,
        "resourceOwnerAccount": account,
        "status": "ACTIVE",
        "principal": {"AWS": "444455556666"},
        "action": ["sts:AssumeRole"],
        "condition": {},
        "isPublic": False,
        "analyzedAt": at,
        "createdAt": at,
        "updatedAt": at,
    }
    backend.findings.append(one | dict(more or {}))
    return str(one["id"])


def settled(account: str, region: str, finding: str, status: str) -> None:
    """Archive or resolve a finding.

    Args:
        account: twelve digits.
        region: of the analyzer.
        finding: its id.
        status: `ARCHIVED` or `RESOLVED`.
    """
    for one in accessanalyzer_backends[account][region].findings:
        if one["id"] == finding:
            one["status"] = status

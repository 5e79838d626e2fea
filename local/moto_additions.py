"""What moto lacks of the account-wide settings, added to it: for a process's own moto, and for the embedded account's.

Supplied, because moto does not know them:

* EC2's `GetInstanceMetadataDefaults` and `ModifyInstanceMetadataDefaults`: what a call leaves out stays as it is,
  `no-preference` (`-1` for the hop limit) takes a default away.
* Settings that are held from above. `hold` stands in for the organisation, of which there is none here:

  - `instance-metadata-defaults`, as by an EC2 policy (declarative): answers carry its values and `ManagedBy`;
  - `s3-public-access`, as by an S3 policy of the organisation: answers carry its values and do not say whose they are;
  - `ebs-encryption`, as by a service control policy that denies both calls: answers stay what they were.

  Writes are refused in all three. `release` ends it, and what the account itself had set is in force again.
* CloudTrail's `LatestDeliveryError`: a trail whose bucket is gone cannot deliver to it.

Faked: who holds, how it came about, and that it holds at once. The refusals bear AWS's codes where AWS documents them
(S3: `AccessDenied`, here with status 400 instead of 403; service control policies: `UnauthorizedOperation`). Of a
refusal by an EC2 policy it documents the message alone: the code `OperationNotPermitted` is a guess that nothing may
rely on.

`moto_account.py` and `moto_billing.py` supply what is missing of the account itself and of its bill.

Source: Amazon EC2 API reference, ModifyInstanceMetadataDefaults and InstanceMetadataDefaultsResponse; Amazon S3 API
reference, PutPublicAccessBlock (S3 Control); AWS Organizations user guide, EC2 policies and Amazon S3 policies.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.cloudtrail.responses import CloudTrailResponse
from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends
from moto.ec2.responses import EC2Response
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.s3.models import s3_backends
from moto.s3control.exceptions import S3ControlError
from moto.s3control.models import PublicAccessBlock, S3ControlBackend, s3control_backends

from local import moto_account, moto_analyzers, moto_billing, moto_entities, moto_s3, moto_users

INSTANCE_METADATA_DEFAULTS = "instance-metadata-defaults"
S3_PUBLIC_ACCESS = "s3-public-access"
EBS_ENCRYPTION = "ebs-encryption"

#: Where the embedded account's moto is told of holds, and of the bill: as in `local.moto_server`.
HELD, BILL = "/_plumbline/held", "/_plumbline/bill"

_DEFAULTS = ("HttpTokens", "HttpPutResponseHopLimit", "HttpEndpoint", "InstanceMetadataTags", "HttpTokensEnforced")
_NONE = ("no-preference", -1)
#: AWS's own words where the policy has none.
_POLICY_SAYS = "This action is denied due to an organizational policy in effect"
_SCP_SAYS = (
    "You are not authorized to perform this operation. User is not authorized to perform: ec2:{action} "
    "with an explicit deny in a service control policy"
)

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], object]


@dataclass(frozen=True, slots=True)
class Held:
    """A setting that the organisation holds.

    Attributes:
        values: what it holds, by the names of the API's answer; empty where it only denies the writes.
        message: what the policy tells those whom it refuses.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    message: str = _POLICY_SAYS


def hold(
    setting: str, account: str, region: str, values: Mapping[str, Any] | None = None, message: str = _POLICY_SAYS
) -> None:
    """Let the organisation hold a setting of an account, until `release` or until moto forgets everything.

    Args:
        setting: one of the constants of this module.
        account: twelve digits.
        region: where; of no meaning for S3, whose setting is the whole account's.
        values: what the policy sets, by the names of the API's answer.
        message: what the policy tells those whom it refuses.
    """
    _holds(setting, account, region)[setting] = Held(values or {}, message)


def release(setting: str, account: str, region: str) -> None:
    """End what `hold` began; what the account itself had set is in force again."""
    _holds(setting, account, region).pop(setting, None)


def install() -> None:
    """Add to this process's moto what it lacks; again, change nothing."""
    moto_s3.install()
    moto_analyzers.install()
    moto_entities.install()
    moto_account.install()
    moto_billing.install()
    if EC2Response.__dict__.get("get_instance_metadata_defaults"):
        return
    EC2Response.get_instance_metadata_defaults = _get_instance_metadata_defaults
    EC2Response.modify_instance_metadata_defaults = _modify_instance_metadata_defaults
    for name in ("enable_ebs_encryption_by_default", "disable_ebs_encryption_by_default"):
        setattr(EC2Response, name, _denied_while_held(getattr(EC2Response, name)))
    S3ControlBackend.get_public_access_block = _effective(S3ControlBackend.get_public_access_block)
    for name in ("put_public_access_block", "delete_public_access_block"):
        setattr(S3ControlBackend, name, _refused_while_held(getattr(S3ControlBackend, name)))
    CloudTrailResponse.get_trail_status = _with_delivery(CloudTrailResponse.get_trail_status)
    moto_users.install()


def _holds(setting: str, account: str, region: str) -> dict[str, Held]:
    """What is held, kept on moto's own backend so that it is forgotten with the rest."""
    if setting == S3_PUBLIC_ACCESS:
        return _kept(s3control_backends[account]["aws"])
    return _kept(ec2_backends[account][region])


def _kept(backend: Any) -> dict[str, Held]:  # noqa: ANN401
    held: dict[str, Held] = backend.__dict__.setdefault("held_from_above", {})
    return held


# --- EC2 ------------------------------------------------------------------------------------------


def _get_instance_metadata_defaults(response: Any) -> ActionResult:  # noqa: ANN401
    backend = response.ec2_backend
    own = backend.__dict__.get("instance_metadata_defaults", {})
    held = _kept(backend).get(INSTANCE_METADATA_DEFAULTS)
    if held is None:
        return ActionResult({"AccountLevel": {**own, "ManagedBy": "account"}})
    by = {"ManagedBy": "declarative-policy", "ManagedExceptionMessage": held.message}
    return ActionResult({"AccountLevel": {**own, **held.values, **by}})


def _modify_instance_metadata_defaults(response: Any) -> ActionResult:  # noqa: ANN401
    response.error_on_dryrun()
    backend = response.ec2_backend
    held = _kept(backend).get(INSTANCE_METADATA_DEFAULTS)
    if held is not None:
        raise EC2ClientError("OperationNotPermitted", held.message)
    own = backend.__dict__.setdefault("instance_metadata_defaults", {})
    asked = {name: response._get_param(name) for name in _DEFAULTS}
    own |= {name: value for name, value in asked.items() if value is not None}
    for name in [name for name, value in own.items() if value in _NONE]:
        del own[name]
    return ActionResult({"Return": True})


def _denied_while_held(write: Callable[[Any], ActionResult]) -> Callable[[Any], ActionResult]:
    def denied_while_held(response: Any) -> ActionResult:  # noqa: ANN401
        if EBS_ENCRYPTION in _kept(response.ec2_backend):
            raise EC2ClientError("UnauthorizedOperation", _SCP_SAYS.format(action=response._get_action()))
        return write(response)

    return denied_while_held


# --- S3 Control -----------------------------------------------------------------------------------


def _effective(read: Callable[..., PublicAccessBlock]) -> Callable[..., PublicAccessBlock]:
    def effective(backend: S3ControlBackend, account_id: str) -> PublicAccessBlock:
        held = _kept(backend).get(S3_PUBLIC_ACCESS)
        if held is None or account_id != backend.account_id:
            return read(backend, account_id)
        names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        return PublicAccessBlock(*(held.values.get(name, False) for name in names))

    return effective


def _refused_while_held(write: Callable[..., None]) -> Callable[..., None]:
    def refused_while_held(backend: S3ControlBackend, *arguments: Any, **named: Any) -> None:  # noqa: ANN401
        if S3_PUBLIC_ACCESS in _kept(backend):
            raise S3ControlError("AccessDenied", "Access Denied")
        write(backend, *arguments, **named)

    return refused_while_held


# --- CloudTrail -----------------------------------------------------------------------------------


def _with_delivery(read: Callable[[Any], str]) -> Callable[[Any], str]:
    def with_delivery(response: Any) -> str:  # noqa: ANN401
        status, name = json.loads(read(response)), response._get_param("Name")
        trails = response.cloudtrail_backend.describe_trails(include_shadow_trails=True)
        bucket = next(one.bucket_name for one in trails if name in {one.trail_name, one.arn})
        gone = all(bucket not in backend.buckets for backend in s3_backends[response.current_account].values())
        return json.dumps(status | {"LatestDeliveryError": "NoSuchBucket"} if gone else status)

    return with_delivery


# --- the embedded account's moto ------------------------------------------------------------------


def _told(serve: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    def told(application: Any, environ: Environ, start: StartResponse) -> Iterable[bytes]:  # noqa: ANN401
        listener = {HELD: _told_of_a_hold, BILL: _told_of_the_bill}.get(environ["PATH_INFO"])
        if listener is None:
            return serve(application, environ, start)
        listener(json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))))
        start("200 OK", [("Content-Type", "application/json")])
        return [b"{}"]

    return told


def _told_of_a_hold(asked: dict[str, Any]) -> None:
    if asked.pop("held"):
        hold(**asked)
    else:
        release(asked["setting"], asked["account"], asked["region"])


def _told_of_the_bill(asked: dict[str, Any]) -> None:
    for known, said in (
        (moto_billing.plan_of(asked["account"]), asked["plan"]),
        (moto_billing.preferences_of(asked["account"]), asked["preferences"]),
    ):
        known.clear()
        known.update(said)


def main() -> None:
    """Serve moto with what is added here, as `python -m moto.server` does without it."""
    from moto.server import main as serve

    install()
    DomainDispatcherApplication.__call__ = _told(DomainDispatcherApplication.__call__)
    serve(sys.argv[1:])


if __name__ == "__main__":
    main()

"""S3's answers.

Source: Amazon S3 API reference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from bench.answers.wire import LONG_AGO, Answer, Parameters, Refused, iso
from bench.drawn import LOG_BUCKET, REGION, Bucket, Drawn, text

_S3 = "http://s3.amazonaws.com/doc/2006-03-01/"
_OWNER = "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a"


@dataclass(frozen=True)
class S3:
    """S3 of a drawn account.

    Attributes:
        drawn: the account.
        others: buckets beside those drawn, which somebody else answers for.
    """

    drawn: Drawn
    others: Sequence[str] = ()

    @cached_property
    def _buckets(self) -> Mapping[str, Bucket]:
        return {one.name: one for one in self.drawn.buckets}

    def knows(self, bucket: str) -> bool:
        """Whether a bucket is one of those drawn."""
        return bucket in self._buckets

    def answer(self, operation: str, bucket: str, given: Parameters) -> Answer:
        """Answer one call.

        Args:
            operation: its name, such as GetBucketAcl.
            bucket: which; empty for the account's own.
            given: the query string's parameters.
        """
        try:
            if not bucket:
                return self._of_account(operation, given)
            body = _OF_BUCKETS.get(operation, _not_known)(self._buckets[bucket])
        except Refused as refused:
            said = f"<Code>{refused.code}</Code><Message>bench</Message><RequestId>bench</RequestId>"
            return Answer(refused.status, f"<Error>{said}</Error>".encode(), refused.code)
        return Answer(200, body.encode(), headers={"x-amz-bucket-region": REGION})

    def _of_account(self, operation: str, given: Parameters) -> Answer:
        if operation != "ListBuckets":
            raise Refused("NotImplemented", 501)
        every = sorted(((one.name, one.made) for one in self.drawn.buckets), key=lambda one: one[0])
        every += [(one, self.drawn.now - LONG_AGO) for one in self.others]
        most = int(given.get("max-buckets", 0)) or len(every)
        begin = int(given.get("continuation-token") or 0)
        # S3 tells regions only to a request that carries a parameter.
        where = f"<BucketRegion>{REGION}</BucketRegion>" if given else ""
        listed = "".join(
            f"<Bucket><Name>{name}</Name><CreationDate>{iso(made)}</CreationDate>{where}</Bucket>"
            for name, made in every[begin : begin + most]
        )
        rest = begin + most < len(every)
        token = f"<ContinuationToken>{begin + most}</ContinuationToken>" if rest else ""
        owner = f"<Owner><ID>{_OWNER}</ID></Owner>"
        said = (
            f'<ListAllMyBucketsResult xmlns="{_S3}">{owner}<Buckets>{listed}</Buckets>{token}</ListAllMyBucketsResult>'
        )
        return Answer(200, said.encode())


def _not_known(_bucket: Bucket) -> str:
    raise Refused("NotImplemented", 501)


def _s3(name: str, inner: str) -> str:
    return f'<{name} xmlns="{_S3}">{inner}</{name}>'


def _acl(bucket: Bucket) -> str:
    about = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type'
    whose = f'<Grantee {about}="CanonicalUser"><ID>{_OWNER}</ID></Grantee>'
    owner = f"<Grant>{whose}<Permission>FULL_CONTROL</Permission></Grant>"
    others = "".join(
        f'<Grant><Grantee {about}="Group"><URI>{uri}</URI></Grantee><Permission>{right}</Permission></Grant>'
        for uri, right in bucket.grants
    )
    inner = f"<Owner><ID>{_OWNER}</ID></Owner><AccessControlList>{owner}{others}</AccessControlList>"
    return _s3("AccessControlPolicy", inner)


def _policy(bucket: Bucket) -> str:
    if bucket.policy is None:
        raise Refused("NoSuchBucketPolicy")
    return text(bucket.policy)


def _policy_status(bucket: Bucket) -> str:
    _policy(bucket)
    return _s3("PolicyStatus", f"<IsPublic>{str(bucket.is_written_by_all).lower()}</IsPublic>")


def _block(bucket: Bucket) -> str:
    if not bucket.blocks:
        raise Refused("NoSuchPublicAccessBlockConfiguration")
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    return _s3("PublicAccessBlockConfiguration", "".join(f"<{one}>true</{one}>" for one in names))


def _ownership(bucket: Bucket) -> str:
    rule = "ObjectWriter" if bucket.has_acls else "BucketOwnerEnforced"
    return _s3("OwnershipControls", f"<Rule><ObjectOwnership>{rule}</ObjectOwnership></Rule>")


def _encryption(_bucket: Bucket) -> str:
    """Every bucket is encrypted, since AWS lets nobody do without.

    Source: Amazon S3 user guide, Setting default server-side encryption behavior for Amazon S3 buckets; SSE-C is
    blocked in new buckets, see Blocking or unblocking SSE-C for a general purpose bucket.
    """
    by = "<ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault>"
    no_ssec = "<BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes>"
    rule = f"<Rule>{by}<BucketKeyEnabled>true</BucketKeyEnabled>{no_ssec}</Rule>"
    return _s3("ServerSideEncryptionConfiguration", rule)


def _versioning(bucket: Bucket) -> str:
    return _s3("VersioningConfiguration", "<Status>Enabled</Status>" if bucket.has_versions else "")


def _logging(bucket: Bucket) -> str:
    into = f"<TargetBucket>{LOG_BUCKET}</TargetBucket><TargetPrefix>{bucket.name}/</TargetPrefix>"
    return _s3("BucketLoggingStatus", f"<LoggingEnabled>{into}</LoggingEnabled>" if bucket.is_logged else "")


def _none(code: str) -> Callable[[Bucket], str]:
    def refuse(_bucket: Bucket) -> str:
        raise Refused(code)

    return refuse


_OF_BUCKETS: Mapping[str, Callable[[Bucket], str]] = {
    "GetBucketLocation": lambda _: _s3("LocationConstraint", ""),
    "GetBucketAcl": _acl,
    "GetBucketPolicy": _policy,
    "GetBucketPolicyStatus": _policy_status,
    "GetPublicAccessBlock": _block,
    "GetBucketOwnershipControls": _ownership,
    "GetBucketEncryption": _encryption,
    "GetBucketVersioning": _versioning,
    "GetBucketLogging": _logging,
    "GetBucketLifecycleConfiguration": _none("NoSuchLifecycleConfiguration"),
    "GetBucketWebsite": _none("NoSuchWebsiteConfiguration"),
    "GetBucketTagging": _none("NoSuchTagSet"),
    "GetObjectLockConfiguration": _none("ObjectLockConfigurationNotFoundError"),
    "GetBucketReplication": _none("ReplicationConfigurationNotFoundError"),
    "GetBucketCors": _none("NoSuchCORSConfiguration"),
    "GetBucketNotificationConfiguration": lambda _: _s3("NotificationConfiguration", ""),
    "HeadBucket": lambda _: "",
}

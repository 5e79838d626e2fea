"""who: who can do what in a bucket, and through what. Looks with eyes, and changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from plumbline.alerts import wording
from plumbline.alerts.shell import pasted
from plumbline.controls.iam._principals import EVERYTHING, GONE, policies_held
from plumbline.controls.s3._buckets import buckets, on
from plumbline.core.calls import Ask, Call
from plumbline.core.errors import AwsRefusal
from plumbline.core.targets import Target
from plumbline.handlers.operate.asked import Answer, Asked, Refused
from plumbline.handlers.operate.lists import wrapped
from plumbline.handlers.operate.pages import ROOM
from plumbline.handlers.operate.typed import Typed
from plumbline.rights.account import Account, account_of
from plumbline.rights.bucket_access import Access, accesses, outsiders, prefixes
from plumbline.rights.documents import Document, document
from plumbline.rights.effective import Memo

#: How many groups of people one page has: about two screens of a phone.
PAGE = 12
_NAMES = 6
#: The most of a page's number.
_DIGITS = 6
_ARN_PARTS = 6
_SWITCHES = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def who(asked: Asked, typed: Typed) -> Answer:
    """Who can list, read, write and delete what in a bucket."""
    page = _page(typed)
    ask = asked.plumbline.engine.aws.eyes(asked.account, asked.plumbline.engine.deployment.home)
    try:
        return _answer(asked, ask, _bucket(ask, typed.word), page)
    except AwsRefusal as error:
        raise Refused(f"nobody can say who may do what there: {error}") from error


def _page(typed: Typed) -> int:
    written = typed.options.get("page", "1")
    if not (written.isascii() and written.isdigit() and len(written) <= _DIGITS) or not int(written):
        raise Refused(f"'{wording.clean(written, 20)}' is no page; type: {typed.again(options={'page': '1'})}")
    return int(written)


def _bucket(ask: Ask, name: str) -> Target:
    every = {one.id: one for one in buckets(ask)}
    if name not in every:
        known = ", ".join(sorted(every)[:_NAMES]) or "none"
        raise Refused(f"there is no bucket '{wording.clean(name, 70)}' in this account; there are: {known}")
    return every[name]


def _answer(asked: Asked, ask: Ask, bucket: Target, page: int) -> Answer:
    held = ask(on(bucket, "GetBucketPolicy", absent=("NoSuchBucketPolicy",)))
    policy = document(held["Policy"]) if held else None
    details = ask(EVERYTHING)
    account = account_of(details, managed=_texts(ask, policies_held(details)))
    found = _accesses(account, policy, bucket, asked)
    from_outside = outsiders(policy, asked.account)
    said = [*_people(found), *(f"{wording.clean(one, 120)}\n  {what}" for one, what in from_outside)]
    notes = [*_blocks(ask, bucket), *_acl(ask, bucket), *_NOTES]
    entries = [
        *(("people", {"who": list(names), "may": [_json(one) for one in what]}) for what, names in found.items()),
        *(("outside", {"who": one, "may": what}) for one, what in from_outside),
    ]
    pages = max(1, -(-len(said) // PAGE))
    if page > pages:
        last = pasted("who", bucket.id, "--page", str(pages))
        raise Refused(f"there is no page {page}; the last is {pages}. Type: {last}")
    held, beyond = _of_pages(entries, page)
    shown = said[(page - 1) * PAGE : page * PAGE]
    more = f"Page {page} of {pages}."
    if page < pages:
        more += f" Type: {pasted('who', bucket.id, '--page', str(page + 1))}"
    head = f"Who can do what in bucket {bucket.id}, {bucket.region}"
    text = "\n\n".join([head, *(shown or ["Nobody but root, by the account's own policies."])])
    if page >= pages:
        text += "\n\n" + "\n".join(f"* {one}" for one in notes)
    return Answer(
        f"{text}\n\n{more}" if pages > 1 else text,
        {
            "bucket": bucket.id,
            "region": bucket.region,
            **{kind: [one for name, one in held if name == kind] for kind in ("people", "outside")},
            "notes": notes,
            "next": ["who", bucket.id, "--page", str(beyond)] if beyond <= pages else None,
        },
    )


def _of_pages(entries: Sequence[tuple[str, Any]], number: int) -> tuple[Sequence[tuple[str, Any]], int]:
    """For a script: whole pages from one on, as many as find room in an answer, and the number of the next."""
    begins, room = (number - 1) * PAGE, ROOM
    ends = begins
    while ends < len(entries):
        room -= len(json.dumps(entries[ends : ends + PAGE]))
        if ends > begins and room < 0:
            break
        ends += PAGE
    return entries[begins:ends], ends // PAGE + 1


_NOTES = (
    "Root may do everything, and so may whoever can change a policy that stands here.",
    "Not known here: what the organisation denies, and what Lake Formation or an access point hands out.",
)


def _accesses(
    account: Account, policy: Document | None, bucket: Target, asked: Asked
) -> dict[tuple[Access, ...], list[str]]:
    """What somebody may do there -> all who may do exactly that."""
    everybody = [one for one in account.principals.values() if one.kind in ("user", "role")]
    partition = everybody[0].partition if everybody else "aws"
    documents = {id(text): text for one in everybody for text in one.documents}
    places = prefixes(bucket.id, [*([policy] if policy else []), *documents.values()])
    context = {
        "aws:CurrentTime": asked.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:SecureTransport": "true",
        "aws:ResourceAccount": asked.account,
        "aws:RequestedRegion": bucket.region,
    }
    memo, found = Memo(), dict[tuple[Access, ...], list[str]]()
    for one in sorted(everybody, key=lambda each: (each.kind != "user", each.name)):
        if what := accesses(one, policy, f"arn:{partition}:s3:::{bucket.id}", places, context, memo):
            found.setdefault(what, []).append(f"{one.kind} {one.name}")
    return found


def _texts(ask: Ask, held: set[str]) -> dict[str, Any]:
    """What AWS's own policies say, by ARN."""
    texts = {}
    for arn in sorted(one for one in held if ":iam::aws:" in one):
        policy = ask(Call("iam", "GetPolicy", {"PolicyArn": arn}, absent=GONE))
        if policy:
            version = {"PolicyArn": arn, "VersionId": policy["Policy"]["DefaultVersionId"]}
            texts[arn] = document(ask(Call("iam", "GetPolicyVersion", version))["PolicyVersion"]["Document"])
    return texts


def _people(found: Mapping[tuple[Access, ...], Sequence[str]]) -> Iterator[str]:
    """Those who may do the same, and what."""
    for what, names in found.items():
        more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
        lines = wrapped(wording.clean(", ".join(names[:_NAMES]) + more, 400))
        for one in what:
            lines += wrapped(wording.clean(_sentence(one), 600), "  ")
        yield "\n".join(lines)


def _sentence(one: Access) -> str:
    where = "everywhere" if one.where == ("",) else f"below {', '.join(one.where)}"
    if one.may == "say who may":
        where = "do what in it"
    but = f", but for {', '.join(one.but)}" if one.but else ""
    through = f"; through {', '.join(map(_short, one.through))}" if one.through else ""
    unless = f"; if {', '.join(one.unless)} of the request fits" if one.unless else ""
    return f"may {one.may} {where}{but}{through}{unless}"


def _short(source: str) -> str:
    """Where something stands, without what every ARN has."""
    before, colon, arn = source.rpartition(": ")
    name = arn.partition(":policy/")[2] or arn
    return f"{before}{colon}{name}"


def _json(one: Access) -> dict[str, Any]:
    return {
        "may": one.may,
        "below": list(one.where),
        "but": list(one.but),
        "through": list(one.through),
        "if": list(one.unless),
    }


def _blocks(ask: Ask, bucket: Target) -> Iterator[str]:
    """Which public access blocks are on."""
    for whose, call in (
        ("of the bucket", on(bucket, "GetPublicAccessBlock", absent=("NoSuchPublicAccessBlockConfiguration",))),
        (
            "of the account",
            Call(
                "s3control",
                "GetPublicAccessBlock",
                {"AccountId": bucket.account},
                absent=("NoSuchPublicAccessBlockConfiguration",),
            ),
        ),
    ):
        try:
            found = (ask(call) or {}).get("PublicAccessBlockConfiguration", {})
        except AwsRefusal as error:
            yield f"Public access block {whose}: could not look ({error.code})"
            continue
        on_ = [one for one in _SWITCHES if found.get(one)]
        said = "all on" if len(on_) == len(_SWITCHES) else f"only {', '.join(on_)}" if on_ else "off"
        yield f"Public access block {whose}: {said}"


def _acl(ask: Ask, bucket: Target) -> Iterator[str]:
    """Whom the bucket's ACL lets in beside its owner."""
    try:
        found = ask(on(bucket, "GetBucketAcl"))
    except AwsRefusal as error:
        yield f"ACL of the bucket: could not look ({error.code})"
        return
    owner = (found.get("Owner") or {}).get("ID")
    others = [one for one in found.get("Grants") or () if one["Grantee"].get("ID") != owner]
    for one in others:
        grantee = one["Grantee"]
        name = str(grantee.get("URI", "")).rpartition("/")[2] or grantee.get("ID", "somebody")
        yield f"ACL of the bucket: {one['Permission']} for {wording.clean(str(name), 80)}"
    if not others:
        yield "ACL of the bucket: its owner alone; ACLs of objects are not looked at"

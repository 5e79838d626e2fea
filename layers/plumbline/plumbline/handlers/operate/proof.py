"""Who types a command, proven: a presigned `sts:GetCallerIdentity`, bound to that command. Pure.

Lambda tells a function nothing of who invoked it. So whoever types signs a question to STS, "who am I?", with his own
keys, and sends it along unasked: only AWS can answer it, and only for him. One more header is signed with it, and its
value names the account, this function, and a digest of the command and of a number used once. STS verifies it against
the value that is computed here from the command received. So a proof is good for nobody else's command, for no other
command, here only, for a minute, and once.

`aws eks get-token --cluster-name VALUE` makes such a proof with what AWS CloudShell has: it signs any text, needs no
right to anything of EKS, and asks nobody. AWS itself takes it for a quarter of an hour, whatever it says of its end.

Source: AWS Signature Version 4 for API requests, adding authentication to the query string; STS API reference,
GetCallerIdentity; aws-iam-authenticator, which is the other side of `get-token`, on what has to be checked and why.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from plumbline.alerts import wording
from plumbline.baseline.regions import KNOWN
from plumbline.core.errors import PlumblineError

#: The header that `aws eks get-token` signs.
HEADER = "x-k8s-aws-id"
#: How old a proof may be, and how far ahead the clock of whoever made it.
FRESH, AHEAD = timedelta(seconds=60), timedelta(seconds=15)
#: How long AWS takes a presigned request, whatever it says itself: so long a number is remembered.
TAKEN_FOR = timedelta(minutes=15)
_PREFIX = "k8s-aws-v1."
#: Characters. A token with the session token of a role has some two thousand.
_LONGEST, _LONGEST_NONCE, _MOST_FIELDS = 16_384, 128, 30
_TOKEN = re.compile(r"[A-Za-z0-9_-]+")
_URL = re.compile(r"[!-~]+")
_NONCE = re.compile(rf"[A-Za-z0-9_-]{{16,{_LONGEST_NONCE}}}")
_DATE = re.compile(r"\d{8}T\d{6}Z")
_CREDENTIAL = re.compile(r"[A-Za-z0-9]+/(?P<day>\d{8})/[a-z0-9-]+/sts/aws4_request")
_ASKED = {
    "Action": "GetCallerIdentity",
    "Version": "2011-06-15",
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-SignedHeaders": f"host;{HEADER}",
}
_NEEDED = frozenset({*_ASKED, "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-Signature"})
_MAY_BE = _NEEDED | {"X-Amz-Security-Token"}
#: How the names of AWS's hosts end, by how its regions begin. Source: the SDK's list of partitions.
_SUFFIXES: Mapping[str, str] = {
    "cn-": "amazonaws.com.cn",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "us-isof-": "csp.hci.ic.gov",
    "eu-isoe-": "cloud.adc-e.uk",
}
_SUFFIX, _GLOBAL = "amazonaws.com", "https://sts.amazonaws.com"


class Unproven(PlumblineError):
    """Who types a command is not proven. The message says what is wrong and what to type, and never repeats it."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a proof has to be made for.

    Attributes:
        account: whose Plumbline is asked.
        region: where it is asked.
        function: what operate is called.
        endpoints: where STS may be asked, each as `https://host`. Nothing that a token says is asked but these.
    """

    account: str
    region: str
    function: str
    endpoints: Collection[str]


@dataclass(frozen=True, slots=True)
class Proof:
    """A question to STS that is what it should be, but for who signed it.

    Attributes:
        url: what to ask, made anew of the parts that were checked.
        headers: the header to send with it.
        used: what it is remembered under, so that it counts once.
    """

    url: str
    headers: Mapping[str, str]
    used: str


def endpoints(home: str) -> frozenset[str]:
    """Where STS is asked in the partition of a region: by region, and, in AWS's first one, the global address."""
    suffix = _suffix(home)
    found = {f"https://sts.{region}.{suffix}" for region in KNOWN | {home} if _partition(region) == _partition(home)}
    return frozenset(found | ({_GLOBAL} if _partition(home) == "aws" else set()))


def on_this_machine(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Where STS is in an account that a machine plays for itself. AWS's functions have nothing on that address.

    Args:
        environment: the process's, with what the SDK reads of it.
    """
    told = environment.get("AWS_ENDPOINT_URL_STS") or environment.get("AWS_ENDPOINT_URL", "")
    return (told,) if re.fullmatch(r"http://127\.0\.0\.1:\d+", told) else ()


def value(account: str, region: str, function: str, command: Sequence[str], nonce: str) -> str:
    r"""What has to be signed for a command.

    Each word and the number end with a NUL, which no word can hold: so no two commands look alike, and a shell needs
    nothing but `printf '%s\0'` for it.

    Args:
        account: whose Plumbline is asked.
        region: where.
        function: what operate is called.
        command: the words as they were typed, without `plumbline`.
        nonce: a number used once, of 16 letters and digits at least.
    """
    words = "".join(f"{word}\0" for word in (*command, nonce))
    digest = hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()
    return f"plumbline:{account}:{region}:{function}:{digest}"


def checked(place: Place, command: Sequence[str], token: object, nonce: object, *, now: datetime) -> Proof:
    """What to ask STS about a command, after everything that can be known without asking.

    Args:
        place: what the proof has to be made for.
        command: the words received.
        token: the proof received; whatever a caller may send.
        nonce: the number received; whatever a caller may send.
        now: the time, in UTC.

    Raises:
        Unproven: there is no proof, or one that is none.
    """
    if not token and not nonce:
        raise Unproven(_missing(place))
    if any("\0" in word for word in command):  # which would be two words to whoever signs
        raise Unproven("no word of a command can hold a NUL")
    if not isinstance(nonce, str) or not _NONCE.fullmatch(nonce):
        raise Unproven(
            f"the number that makes the proof good for one command only is missing or malformed. {_paste(place)}"
        )
    origin, query = _parts(place, _decoded(place, token))
    _refuse_other_questions(place, query)
    _refuse_old(place, query["X-Amz-Date"], now)
    bound = value(place.account, place.region, place.function, command, nonce)
    asked = urlencode(query, quote_via=quote, safe="-_.~")
    return Proof(f"{origin}/?{asked}", {HEADER: bound}, f"proof#{hashlib.sha256(bound.encode()).hexdigest()}")


def _decoded(place: Place, token: object) -> str:
    body = token.removeprefix(_PREFIX) if isinstance(token, str) else ""
    if not isinstance(token, str) or len(token) > _LONGEST or body == token or not _TOKEN.fullmatch(body):
        raise Unproven(f"the proof is no token of `aws eks get-token`. {_paste(place)}")
    try:
        url = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise Unproven(f"the proof is no token of `aws eks get-token`: it holds no address. {_paste(place)}") from error
    if not _URL.fullmatch(url):  # urlsplit drops line breaks and tabs
        raise Unproven(f"the proof holds no address. {_paste(place)}")
    return url


def _parts(place: Place, url: str) -> tuple[str, Mapping[str, str]]:
    """Whom a proof wants to be asked, and what."""
    try:
        split = urlsplit(url)
        pairs = parse_qsl(split.query, keep_blank_values=True, strict_parsing=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise Unproven(f"the address in the proof cannot be read. {_paste(place)}") from error
    origin = f"{split.scheme}://{split.netloc}"
    if origin not in place.endpoints:
        host = wording.clean(split.netloc.rpartition("@")[2], 80)
        raise Unproven(
            f"the proof wants {host or 'nobody'} to be asked who you are, and that is no STS of AWS; nobody was. "
            "Unset AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_STS if they are set, and type the same again."
        )
    names = [name for name, _ in pairs]
    if split.path not in ("", "/") or split.fragment or len(names) != len(set(names)) or set(names) - _MAY_BE:
        raise Unproven(f"the proof asks for more than who you are. {_paste(place)}")
    return origin, dict(pairs)


def _refuse_other_questions(place: Place, query: Mapping[str, str]) -> None:
    if _NEEDED - set(query):
        raise Unproven(f"the proof lacks {', '.join(sorted(_NEEDED - set(query)))}. {_paste(place)}")
    if HEADER not in query["X-Amz-SignedHeaders"].split(";"):
        raise Unproven(f"the proof is signed for no command: {HEADER} is not among what it signs. {_paste(place)}")
    wrong = [name for name, wanted in _ASKED.items() if query[name] != wanted]
    if wrong:
        raise Unproven(
            f"the proof asks another question than sts:GetCallerIdentity ({', '.join(wrong)}). {_paste(place)}"
        )
    credential = _CREDENTIAL.fullmatch(query["X-Amz-Credential"])
    if credential is None or credential["day"] != query["X-Amz-Date"][:8]:
        raise Unproven(f"the proof is not signed for STS, or for another day than it says. {_paste(place)}")


def _refuse_old(place: Place, date: str, now: datetime) -> None:
    try:
        # strptime takes fewer digits, and blanks
        made = datetime.strptime(date if _DATE.fullmatch(date) else "", "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    except ValueError as error:
        raise Unproven(f"the proof does not say when it was made. {_paste(place)}") from error
    age = now - made
    if age > FRESH or -age > AHEAD:
        seconds = abs(round(age.total_seconds()))
        when = f"{seconds} seconds old" if age > FRESH else f"from {seconds} seconds ahead"
        raise Unproven(
            f"the proof is {when}; it counts for {FRESH.seconds} seconds, and for one command. Type the same again; if "
            "that does not help, the clock of this computer is wrong: set it, or use AWS CloudShell."
        )


def _missing(place: Place) -> str:
    return (
        "this changes something, so it needs a proof of who types it, and none was sent: whoever may invoke "
        f"{place.function} could write any name. {_paste(place)}"
    )


def _paste(place: Place) -> str:
    stack = place.function.removesuffix("-operate")
    return (
        "The shell function of this version makes one each time: paste it anew, out of one of Plumbline's e-mails or "
        f"the output `Shell` of the stack ({stack}, {place.region}), and type the same again."
    )


def _partition(region: str) -> str:
    if region.startswith("us-gov-"):
        return "aws-us-gov"
    return next((begins for begins in _SUFFIXES if region.startswith(begins)), "aws")


def _suffix(region: str) -> str:
    return next((suffix for begins, suffix in _SUFFIXES.items() if region.startswith(begins)), _SUFFIX)

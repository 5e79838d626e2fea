"""The regions of AWS: which there are, and what is said of one that there is not.

AWS opens new ones. One that reads like a region and is not known here is taken, with a word of caution; one that no
region of AWS can be called is refused.

Source: AWS General Reference, AWS service endpoints; the SDK's list of partitions.
"""

from __future__ import annotations

from difflib import get_close_matches

_LISTED = """
af-south-1
ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-1
ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6 ap-southeast-7
ca-central-1 ca-west-1 cn-north-1 cn-northwest-1
eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 eusc-de-east-1
il-central-1 me-central-1 me-south-1 me-west-1 mx-central-1 sa-east-1 sa-west-1
us-east-1 us-east-2 us-west-1 us-west-2 us-gov-east-1 us-gov-west-1
eu-isoe-west-1 us-iso-east-1 us-iso-west-1 us-isob-east-1 us-isob-west-1 us-isof-east-1 us-isof-south-1
"""
KNOWN = frozenset(_LISTED.split())
_AREAS = frozenset(one.rsplit("-", 2)[0] for one in KNOWN)
_SIDES = frozenset(
    f"{latitude}{side}" for latitude in ("", "north", "south") for side in ("", "east", "west", "central")
) - {""}


def impossible(region: str) -> str:
    """What is wrong with a name that no region of AWS can have; empty where nothing is."""
    if region in KNOWN or _could_be_new(region):
        return ""
    return f"{region} is no region of AWS; write one such as {_nearest(region)}"


def caution(region: str) -> str:
    """What to think of before a region that is not known here is used; empty where it is known."""
    if region in KNOWN:
        return ""
    return (
        f"regions: {region} was no region of AWS when this version was made. If AWS has opened it since, all is well; "
        f"if not, write {_nearest(region)}, or every sweep will say that it cannot look there"
    )


def _could_be_new(region: str) -> bool:
    area, _, rest = region.rpartition("-")[0].rpartition("-")
    number = region.rpartition("-")[2]
    return area in _AREAS and rest in _SIDES and len(number) == 1 and number != "0"


def _nearest(region: str) -> str:
    return next(iter(get_close_matches(region, sorted(KNOWN), n=1)), "ap-southeast-2")

"""Whether this account has a Plumbline already, by what it leaves where all regions see it: its roles.

Two would judge the same things, each by a baseline of its own, and undo what the other does.

Source: AWS IAM API reference, ListRoles.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection

from asking import FOR_THE_ANSWER, client

logger = logging.getLogger()

#: Where every version's roles are, and how that one's name ends without which nothing is settled.
_PATH, _ENDS = "/plumbline/", "-react"
#: After how long a role's rights are known wherever they are asked for, in milliseconds before the end of the time.
_UNTIL_KNOWN = 120_000


def refuse_a_second(own: Collection[str], remaining: Callable[[], int]) -> None:
    """Refuse to prepare a stack beside another Plumbline, in this region or in any.

    Args:
        own: what this stack holds: one that is upgraded from version 0.1 has its roles before it asks for names.
        remaining: how much time is left, in milliseconds.

    Raises:
        ValueError: there is another; says where, and what to do.
        Exception: AWS does not say; another try may tell.
    """
    try:
        pages = list(client("iam").get_paginator("list_roles").paginate(PathPrefix=_PATH))
    except Exception as error:
        if "AccessDenied" not in str(error) or remaining() > FOR_THE_ANSWER + _UNTIL_KNOWN:
            raise  # a role's rights show late
        logger.error("nobody may ask whether there is another Plumbline: %s", error)
        return
    for one in (role for page in pages for role in page["Roles"]):
        name = one["RoleName"]
        if name.endswith(_ENDS) and name not in own:
            raise ValueError(
                f"this account has a Plumbline already, whose names begin with {name.removesuffix(_ENDS)}. Its role "
                f"{name} says of itself: {one.get('Description', 'nothing')!r}. Two would fight over what they repair, "
                "and one governs every region. Deploy with that stack's name, in its region, to change it; or delete it"
                " first: sam delete --stack-name NAME --region REGION"
            )

"""What moto lacks of users' credentials: whoever asks for those of one service is answered that there are none.

Source: IAM API reference, ListServiceSpecificCredentials.
"""

from __future__ import annotations

from moto.core.responses import ActionResult
from moto.iam.responses import IamResponse


def install() -> None:
    """Add to this process's moto what it lacks; again, or where moto has it by now, change nothing."""
    if not hasattr(IamResponse, "list_service_specific_credentials"):
        IamResponse.list_service_specific_credentials = _none


def _none(response: IamResponse) -> ActionResult:
    response.backend.get_user(response._get_param("UserName"))  # refuses a user that there is not
    return ActionResult({"ServiceSpecificCredentials": [], "IsTruncated": False})

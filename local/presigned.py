"""Requests that are signed in their address, by the account's root.

The emulator verifies what users and sessions sign, with every header that is signed, and takes its root's signatures
unseen, for his access key is the account's number. Whoever writes that number into a request would be root, which is
what a proof of who somebody is must not let happen. So here they are verified as AWS does, against the one secret that
root has (local/embedded.py).

Source: AWS Signature Version 4 for API requests, adding authentication to the query string.
"""

from __future__ import annotations

import re

from ministack.core import sigv4

from local.wire import Request

_SECRET = "test"  # noqa: S105 -- of an account that exists on this machine only
_ROOT = re.compile(r"\d{12}")


def refused(request: Request) -> tuple[int, bytes] | None:
    """What STS answers where such a request is not what root has signed; None where it is, or is none of these.

    Args:
        request: any.
    """
    credential = request.credential
    presigned = "X-Amz-Signature" in request.query and "authorization" not in request.headers
    if not presigned or credential is None or credential.scope != "sts" or not _ROOT.fullmatch(credential.access_key):
        return None
    signature = sigv4.parse_query_signature(request.query)
    failure = (
        signature
        if isinstance(signature, tuple)
        else sigv4.request_time_failure(signature)
        or sigv4.header_signature_failure(
            signature,
            _SECRET,
            request.method,
            request.path,
            request.query,
            request.headers,
            request.body,
            presigned=True,
        )
    )
    if not failure:
        return None
    code, message = failure
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    return 403, f'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">{error}</ErrorResponse>'.encode()

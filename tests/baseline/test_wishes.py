"""Names that are none: refused wherever a control has a list of users or buckets, for such a line is silent."""

from __future__ import annotations

from datetime import date

import pytest

from plumbline.baseline.compiler import compile_text
from plumbline.controls import registry
from plumbline.core.errors import BaselineError

ARNS = {"allowed_users": "arn:aws:iam::111122223333:user/maria", "allowed_buckets": "arn:aws:s3:::acme-data"}
LISTS = [(one.id, name) for one in registry.load().values() for name in ARNS if name in one.settings]


@pytest.mark.parametrize(("control", "setting"), LISTS)
def test_an_arn_where_a_name_belongs_is_told_with_the_name(control: str, setting: str) -> None:
    text = f"controls:\n  {control}:\n    {setting}: ['{ARNS[setting]}']"
    with pytest.raises(BaselineError) as refused:
        compile_text(text, name="baseline.yaml", today=date(2026, 3, 2))
    name = "maria" if setting == "allowed_users" else "acme-data"
    told = (
        f"baseline.yaml:3: controls.{control}.{setting}[1]: this is an ARN, and names are compared here; write '{name}'"
    )
    assert (told,) == refused.value.problems

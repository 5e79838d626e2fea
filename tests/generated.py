"""Every file, or part of one, that follows from the controls, or from what `make first-hour` or the bench recorded.

`make check` fails when a committed file differs from this; `make sync` (pytest --sync) rewrites it.
"""

from __future__ import annotations

from pathlib import Path

from bench import bill
from deploy import scp
from plumbline.baseline import profiles, schema
from plumbline.controls import registry
from tests import gallery
from tests.attacks import stories
from tests.deployed import ROOT, TEMPLATE
from tests.generating import costs, first_hour, frameworks, reference, template, trust

__all__ = ["ROOT", "everything"]


def everything() -> dict[Path, str]:
    """Every generated file as it should be."""
    sources, record = frameworks.load(ROOT / "sources"), first_hour.recorded()
    return {
        TEMPLATE: template.written(TEMPLATE.read_text()),
        ROOT / "docs/controls.md": reference.overview(),
        **{ROOT / "docs/controls" / name: page for name, page in reference.pages(sources).items()},
        ROOT / "docs/emails.md": gallery.page(),
        first_hour.GUIDE: first_hour.written(first_hour.GUIDE.read_text(), record),
        **{ROOT / "docs/pictures" / name: drawn for name, drawn in first_hour.pictures(record).items()},
        ROOT / "docs/guard-scp.json": scp.shipped(),
        ROOT / "docs/frameworks.md": frameworks.page(sources, registry.load(), link=reference.chapter),
        ROOT / "docs/costs.md": costs.page(bill.read()),
        ROOT / "docs/trust.md": trust.page(stories.CHAPTERS),
        ROOT / "baseline.schema.json": schema.published(profiles.names(profiles.SHIPPED)),
    }

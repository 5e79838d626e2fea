"""The garbage collector during a cold start.

A cold start makes much and drops little: collecting during it costs a twentieth of a second for nothing (see bench/).
"""

from __future__ import annotations

import gc


def begin() -> None:
    """Collect nothing from here on. Called before anything heavy is imported."""
    gc.disable()


def over() -> None:
    """Collect again, but never look at what the cold start made: it stays. Does nothing the second time."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()

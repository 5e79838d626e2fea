"""E-mails as a person reads them: without the sixty lines at their end that he pastes once."""

from __future__ import annotations

import re

_TAUGHT = re.compile(r"(?s)\nWhere the shell does not know `plumbline` yet, paste this first:\n.*?\n  \)\n")
LEFT_OUT = "[here stand the lines that teach a shell the word `plumbline`, as in every e-mail]"


def without_the_function(text: str) -> str:
    """An e-mail's text, with one line instead of those that teach a shell the word `plumbline`.

    Args:
        text: as it is received.
    """
    return _TAUGHT.sub(f"\n{LEFT_OUT}\n", text)

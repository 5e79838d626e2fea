"""Hostile text made harmless: nothing in it is made something to click, and nothing is unseen. Pure.

What stays of it reads as before: names of buckets with dots, ARNs, e-mail addresses and roles are known again.
"""

from __future__ import annotations

import re
import unicodedata

#: What mail programs turn into something to click. Breaking the pattern keeps the text readable and dead.
_SCHEME = re.compile(
    r"(?i)(https?|ftp|file|mailto|javascript|vbscript|data|tel|sms|callto|skype|facetime|search-ms|ms-\w+)\s*:|:(?=//)"
)
#: A dot before what may be a top-level domain; file names that are none, and Plumbline's own page, stay as they are.
_DOMAIN = re.compile(r"(?i)(?:(?<=www)|(?<=[^\W_]))(?<!docs/operating)[.\u3002](?=(?!(?:json|ya?ml)\b)[^\W\d_][^\W_])")
#: A host with a port, and an address with a path behind it. A network's size behind a slash is none.
_PORT = re.compile(r"(?<=[\w\]]):(?=\d{1,5}/)")
_ADDRESS = re.compile(r"(?<=\d)\.(?=\d{1,3}(?::\d|/(?!\d{1,2}\b)))")
_MARKDOWN = re.compile(r"\](?=\()")
#: What takes no room on a screen, though Unicode calls it a letter, a mark or a symbol.
_UNSEEN = frozenset(map(chr, (0x034F, 0x115F, 0x1160, 0x2800, 0x3164, 0xFFA0, *range(0xFE00, 0xFE10))))
_MORE_UNSEEN = ("\U000e0100", "\U000e01ef")
_WORD = re.compile(r"[^\W\d_]+")
#: Letters of other scripts that look like Latin ones. Source: Unicode Technical Standard 39, confusables.
_LOOK_LATIN = frozenset(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u04bb\u051b\u051d\u044c\u0432"
    "\u043c\u043d\u0442\u043a\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425"
    "\u0406\u0408\u0405\u050c\u051a\u051c\u03bf\u03bd\u03b1\u03c1\u03c4\u03c5\u03c7\u03b9\u03ba\u0391"
    "\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
)
_MOST_MARKS = 2


def harmless(text: str) -> str:
    """One line of printable text that nothing makes a link, a tag or something else of.

    Args:
        text: anything.

    Returns:
        the same, where nothing in it is dangerous; made harmless twice is made harmless once.
    """
    dead = _SCHEME.sub(lambda found: f"{found[1] or ''}[:]", _shown(text))
    dead = _PORT.sub("[:]", _ADDRESS.sub("[.]", _DOMAIN.sub("[.]", dead)))
    return _MARKDOWN.sub("] ", dead)


def harmless_command(text: str) -> str:
    """The same of a line to be pasted into a shell, which takes a dot behind a backslash for a dot.

    Between quotes a backslash would stay, so there it stands between the end of one quote and the next.
    """
    shown = _shown(text)
    live = {found.end() - 1 for found in _SCHEME.finditer(shown)}
    live |= {found.start() for pattern in (_DOMAIN, _ADDRESS, _PORT) for found in pattern.finditer(shown)}
    said, quote = [], ""
    for at, char in enumerate(shown):
        if char in "'\"" and quote in ("", char):
            quote = "" if quote else char
        said.append(f"{quote}\\{char}{quote}" if at in live else char)
    return "".join(said)


def _shown(text: str) -> str:
    """The text in one line, without what cannot be seen."""
    plain = unicodedata.normalize("NFKC", text)  # a link in full-width letters is a link all the same
    seen = plain if plain.isascii() and plain.isprintable() else _seen(plain)
    return " ".join(seen.split())


def _seen(text: str) -> str:
    """The text as it shows: what is invisible is a space, and a letter that passes for a Latin one says so."""
    kept: list[str] = []
    marks = 0
    for char in text:
        kind = unicodedata.category(char)
        marks = marks + 1 if kind[0] == "M" else 0
        hidden = kind[0] in "CZ" or char in _UNSEEN or _MORE_UNSEEN[0] <= char <= _MORE_UNSEEN[1]
        kept.append(" " if hidden or marks > _MOST_MARKS else char)
    return _WORD.sub(lambda found: _honest(found[0]), "".join(kept))


def _honest(word: str) -> str:
    """A word whose letters pass for others: of two scripts at once, or of another one and all like Latin ones."""
    if word.isascii():
        return word
    latin = [char.isascii() or unicodedata.name(char, "").startswith("LATIN") for char in word]
    foreign = [char for char, is_latin in zip(word, latin, strict=True) if not is_latin]
    if not foreign or (not any(latin) and not all(char in _LOOK_LATIN for char in foreign)):
        return word
    return "".join(char if is_latin else f"[U+{ord(char):04X}]" for char, is_latin in zip(word, latin, strict=True))

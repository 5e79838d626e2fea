"""What is said of a text that is no YAML, for a person who does not know the parser's words. Pure."""

from __future__ import annotations

import re

import yaml

#: What the parser says, and what a person should know. The first that fits.
_SAID = {
    r"found character '\\t'": "a tab stands here, and YAML is indented by spaces; write spaces instead",
    r"found character '(.)' that cannot start": "a value cannot begin with '{0}'; write it in quotes, as in '{0}x'",
    r"expected alphabetic or numeric character, but found": "a value that begins with * or & is a reference to YAML; "
    "write it in quotes, as in '*/s3-bucket/www-*'",
    r"found undefined alias '?(\w*)": "*{0} refers to nothing; write it in quotes, or write out what is meant",
    r"found duplicate anchor '?(\w*)": "&{0} is given twice; write out what is meant",
    r"mapping values are not allowed": "a ': ' stands where none may; begin a new line for each key, indent it as its "
    "neighbours are, and write a value with ': ' in quotes",
    r"could not find expected ':'": "this line, or the one before it, has no ': '; write it as `key: value`",
    r"expected ',' or '(.)'": "a bracket is not closed, or a comma is missing; write {0} at its end",
    r"<stream end>'$|expected the node content, but found '<document": "a bracket is not closed; write } or ] there",
    r"but found '([\]}])'": "{0} closes a bracket that nothing opened, or that has something missing; remove it",
    r"for merging": "<< takes a mapping; write out what is meant, without <<",
    r"found unexpected (end of stream|document)": "a quote is not closed; write the same quote at the end of the text",
    r"found unknown escape character '(.*)'": "\\{0} means nothing in double quotes; write the text in single quotes",
    r"expected escape sequence": "a backslash in double quotes needs more digits; write the text in single quotes",
    r"found another document": "a second document begins here; write one, and remove this line",
    r"sequence entries are not allowed": "a list cannot begin here; write each `- ` on its own line, below its key",
    r"expected <block end>, but found '([^']*)'": "this line is indented otherwise than its neighbours, or "
    "stands where it cannot; indent it as they are",
    r"expected (the )?node content|expected '?<document start>": "something is missing, or stands where it "
    "cannot; write `key: value` lines, indented as their neighbours are",
    r"directive|version|tag|prefix|URI": "this looks like an order to the parser; remove what begins with % or !",
    r"block scalar|indentation indicator|chomping|comment or a line break": "after | or > the text begins on the next "
    "line; write it there, or in quotes",
}
_ELSE = "this cannot be read as YAML; write it as in the example of docs/operating.md"


def misread(error: yaml.MarkedYAMLError) -> tuple[int, str]:
    """The line, from 1, on which the parser gave up, and what to write there."""
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    said = str(error.problem)
    if "unexpected end of stream" in said and error.context_mark:  # where the quote was opened
        line = error.context_mark.line + 1
    for pattern, words in _SAID.items():
        if found := re.search(pattern, said):
            return line, words.replace("{0}", found[1] or "") if found.groups() else words
    return line, _ELSE


def unreadable(error: yaml.YAMLError, text: str) -> tuple[int, str]:
    """The same of a character that YAML does not take at all."""
    position, code = getattr(error, "position", 0), getattr(error, "character", 0)
    line = text.count("\n", 0, position) + 1
    return line, f"a character that no editor shows stands here (U+{code:04X}); remove it"

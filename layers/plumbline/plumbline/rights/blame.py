"""Which of a principal's own documents give it something, so that it ends where they are taken away. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from plumbline.rights.account import Principal
from plumbline.rights.documents import Document, statements
from plumbline.rights.ways import Way

#: Whether a principal with these documents has what is asked about.
Has = Callable[[Principal], bool]
#: What the source of a document begins with that a user has from a group.
_FROM_GROUP = "group "


def blame(principal: Principal, has: Has) -> tuple[str, ...]:
    """The sources of its own documents to take away.

    Each that gives it by itself; where none does, one without which it is not given; else all of its own where they
    give it together. What all of its documents deny stays denied throughout.

    Args:
        principal: who has it.
        has: whether he would, with other documents.

    Returns:
        The sources; none where his groups alone give it.
    """
    own = [one for one in range(len(principal.documents)) if is_own(principal, one)]
    denied = tuple(_denials(text) for text in principal.documents)
    alone = [one for one in own if has(_with(principal, {one}, denied))]
    every = set(range(len(principal.documents)))
    if not alone:
        alone = [one for one in own if not has(_with(principal, every - {one}, denied))][:1]
    if not alone and has(_with(principal, set(own), denied)):
        alone = own
    return tuple(principal.sources[one] for one in alone)


def closing(ways: Iterable[Way], spoken: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """The sources of one's own documents without which ways end: for each an action that nothing else allows.

    Args:
        ways: all that lead through one thing.
        spoken: source -> the actions that the document allows on something.

    Returns:
        The sources, the fewest for each way in turn; none where groups give all that one of them takes.
    """
    gone: set[str] = set()
    for way in ways:
        holding = [{source for source, actions in spoken.items() if one in actions} - gone for one in way.actions]
        own = [those for those in holding if not any(one.startswith(_FROM_GROUP) for one in those)]
        if not own:
            return ()
        gone |= min(own, key=len)
    return tuple(source for source in spoken if source in gone)


def is_own(principal: Principal, number: int) -> bool:
    """Whether a document is a principal's own, and not one of its groups'."""
    return not principal.sources[number].startswith(_FROM_GROUP)


def own_alone(principal: Principal) -> Principal:
    """A user with what he has by himself."""
    own = [one for one in range(len(principal.documents)) if is_own(principal, one)]
    return replace(
        principal,
        documents=tuple(principal.documents[one] for one in own),
        sources=tuple(principal.sources[one] for one in own),
        groups=(),
    )


def _with(principal: Principal, those: set[int], denied: tuple[Document, ...]) -> Principal:
    texts = tuple(text if one in those else denied[one] for one, text in enumerate(principal.documents))
    sources = tuple(source if one in those else "" for one, source in enumerate(principal.sources))
    return replace(principal, documents=texts, sources=sources)


def _denials(text: Document) -> Document:
    return {**text, "Statement": [one for one in statements(text) if one.get("Effect") == "Deny"]}

"""Accounts as data, for tests of what policies mean together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from plumbline.rights.account import EVERYTHING_ALLOWED, Account, Principal, member
from plumbline.rights.documents import Document

NUMBER = "123456789012"


def allow(*actions: str, on: str | list[str] = "*", when: Mapping[str, Any] | None = None) -> Document:
    """A document of one statement that allows."""
    return _one("Allow", actions, on, when)


def deny(*actions: str, on: str | list[str] = "*", when: Mapping[str, Any] | None = None) -> Document:
    """A document of one statement that denies."""
    return _one("Deny", actions, on, when)


def _one(effect: str, actions: Iterable[str], on: str | list[str], when: Mapping[str, Any] | None) -> Document:
    said = {"Effect": effect, "Action": list(actions), "Resource": on} | ({"Condition": when} if when else {})
    return {"Version": "2012-10-17", "Statement": [said]}


def arn(kind: str, name: str) -> str:
    """The ARN of something of IAM's; `name` may have a path."""
    return f"arn:aws:iam::{NUMBER}:{kind}/{name}"


def user(name: str, *documents: Document, path: str = "", **more: Any) -> Principal:
    """A user with inline policies."""
    return _principal("user", name, documents, path, more)


def group(name: str, *documents: Document, path: str = "", **more: Any) -> Principal:
    """A group with inline policies."""
    return _principal("group", name, documents, path, more)


def role(name: str, *documents: Document, trust: Document | None = None, path: str = "", **more: Any) -> Principal:
    """A role with inline policies."""
    return _principal("role", name, documents, path, {"trust": trust or {}} | more)


def _principal(kind: str, name: str, documents: tuple[Document, ...], path: str, more: Mapping[str, Any]) -> Principal:
    given = Principal(arn(kind, f"{path}{name}"), name, kind, documents)
    return replace(given, **{"sources": tuple(f"inline p{one}" for one in range(len(documents))), **more})


def trusting(when: Mapping[str, Any] | None = None, /, **principal: str | list[str]) -> Document:
    """A trust policy that lets in a principal, such as `Service="ec2.amazonaws.com"`."""
    said = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"} | (
        {"Condition": when} if when else {}
    )
    return {"Version": "2012-10-17", "Statement": [said]}


def account(*principals: Principal, **more: Any) -> Account:
    """An account with these principals."""
    return Account({one.arn: one for one in principals}, **more)


def joined(one: Principal, *groups: Principal) -> Principal:
    """A user as a member of groups."""
    return member(one, groups)


ADMIN: Document = EVERYTHING_ALLOWED

"""For each kind of path: what of an account it leads a principal through. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from plumbline.rights.account import Principal
from plumbline.rights.asked import Asked, name_of
from plumbline.rights.lead import Lead, Path


def _itself(asked: Asked, path: Path) -> Iterator[str]:
    me, action = asked.principal, path.actions[0]
    if me.kind in action.lower() and asked.gives(action, me):
        yield me.arn


def _own_group(asked: Asked, path: Path) -> Iterator[str]:
    for arn in asked.principal.groups:
        group = asked.account.principals.get(arn) or Principal(arn, name_of(arn), "group")
        if asked.unbound and asked.gives(path.actions[0], group):
            yield arn


def _own_policies(principal: Principal) -> Iterator[str]:
    yield from dict.fromkeys(one.rpartition(": ")[2] for one in principal.sources if ":policy/" in one)


def _own_policy(asked: Asked, path: Path) -> Iterator[str]:
    for arn in _own_policies(asked.principal):
        if ":iam::aws:" not in arn and asked.unbound and asked.may(path.actions[0], arn):
            yield arn


def _own_version(asked: Asked, path: Path) -> Iterator[str]:
    for arn in _own_policy(asked, path):
        policy = asked.account.policies.get(arn)
        if policy and any(asked.known.everything(text) for text in policy.others.values()):
            yield arn


def _group(asked: Asked, path: Path) -> Iterator[str]:
    yield from (one.arn for one in asked.known.strong_groups if asked.may(path.actions[0], one.arn))


def _new(kind: str) -> Callable[[Asked, Path], Iterator[str]]:
    def new(asked: Asked, path: Path) -> Iterator[str]:
        given, *others = path.actions
        for arn in asked.places(others[0], lambda name: asked.iam(kind, name)):
            one = Principal(arn, name_of(arn), kind)
            unbounded = {"iam:PermissionsBoundary": None}
            if all(asked.may(action, arn, unbounded) for action in others) and asked.gives(given, one):
                yield asked.principal.arn
                return

    return new


def _every(asked: Asked, path: Path) -> Iterator[str]:
    action = path.actions[0]
    one = Principal(asked.iam(path.kind, asked.fresh), asked.fresh, path.kind)
    given = action.startswith(("iam:Attach", "iam:Put"))
    if asked.gives(action, one) if given else asked.may(action, one.arn):
        yield asked.principal.arn


def _user(asked: Asked, path: Path) -> Iterator[str]:
    for one in asked.known.strong_users:
        if all(asked.may(action, one.arn) for action in path.actions):
            yield one.arn


def _role(asked: Asked, path: Path) -> Iterator[str]:
    yield from (one.arn for one in asked.known.strong_roles if asked.may(path.actions[0], one.arn))


def _assumed(asked: Asked, _path: Path) -> Iterator[str]:
    yield from (one.arn for one in asked.known.strong_roles if asked.known.assumes(asked.principal, one))


def _weak(asked: Asked, those: Iterable[Principal]) -> Iterator[Principal]:
    strong = asked.known.administrators
    yield from (one for one in those if one.arn not in strong and one.arn != asked.principal.arn)


def _first(those: Iterator[str]) -> Iterator[str]:
    """One will do: what can be made an administrator is not one yet, and there may be thousands."""
    found = next(those, None)
    if found is not None:
        yield found


def _trusting_role(asked: Asked, path: Path) -> Iterator[str]:
    yield from _first(
        one.arn
        for one in _weak(asked, asked.known.roles)
        if asked.known.assumes(asked.principal, one) and asked.gives(path.actions[0], one)
    )


def _rewritable(asked: Asked, one: Principal) -> bool:
    return asked.free(one) and any(
        ":iam::aws:" not in arn and asked.may("iam:CreatePolicyVersion", arn) for arn in _own_policies(one)
    )


def _trusting_policy(asked: Asked, _path: Path) -> Iterator[str]:
    yield from _first(
        one.arn
        for one in _weak(asked, asked.known.roles)
        if asked.known.assumes(asked.principal, one) and _rewritable(asked, one)
    )


def _other(kind: str) -> Callable[[Asked, Path], Iterator[str]]:
    def other(asked: Asked, path: Path) -> Iterator[str]:
        given, *others = path.actions
        yield from _first(
            one.arn
            for one in _weak(asked, asked.known.users if kind == "user" else asked.known.roles)
            if all(asked.may(action, one.arn) for action in others) and asked.gives(given, one)
        )

    return other


def _other_policy(asked: Asked, path: Path) -> Iterator[str]:
    yield from _first(
        one.arn
        for one in _weak(asked, asked.known.roles)
        if asked.may(path.actions[1], one.arn) and _rewritable(asked, one)
    )


def _passed(asked: Asked, path: Path) -> Iterator[str]:
    if not all(asked.somewhere(action) for action in path.actions[1:]):
        return
    yield from (one.arn for one in asked.known.trusting(path.services) if asked.passes(one, path.services))


def _stack_set(asked: Asked, path: Path) -> Iterator[str]:
    if all(asked.somewhere(action) for action in path.actions[1:]):
        found = (strong.arn for one, strong in asked.known.through_stack_sets if asked.passes(one, path.services))
        yield from dict.fromkeys(found)


def _running(asked: Asked, path: Path) -> Iterator[tuple[str, str]]:
    if not all(asked.somewhere(action) for action in path.elsewhere):
        return
    about = [action for action in path.actions if action not in path.elsewhere]
    if not all(asked.whatever(action) for action in about):
        return
    strong = {one.arn: one for one in asked.known.strong_roles}
    if path.kind in asked.account.read:
        for one in asked.account.running:
            if one.kind == path.kind and one.role in strong and all(asked.may(action, one.arn) for action in about):
                yield one.role, path.does.format(name_of(one.role), thing=name_of(one.arn).rpartition(":")[2])
    elif all(asked.somewhere(action) for action in about):
        yield from ((one.arn, path.unseen.format(name_of(one.arn))) for one in asked.known.trusting(path.services))


#: What a path leads through: ARNs, or ARNs with what may be done where that depends on more.
LEADS: Mapping[Lead, Callable[[Asked, Path], Iterator[str] | Iterator[tuple[str, str]]]] = {
    Lead.ITSELF: _itself,
    Lead.OWN_GROUP: _own_group,
    Lead.OWN_POLICY: _own_policy,
    Lead.OWN_VERSION: _own_version,
    Lead.GROUP: _group,
    Lead.NEW_USER: _new("user"),
    Lead.NEW_ROLE: _new("role"),
    Lead.EVERY: _every,
    Lead.USER: _user,
    Lead.ROLE: _role,
    Lead.ASSUMED: _assumed,
    Lead.OTHER_USER: _other("user"),
    Lead.TRUSTING_ROLE: _trusting_role,
    Lead.TRUSTING_POLICY: _trusting_policy,
    Lead.OTHER_ROLE: _other("role"),
    Lead.OTHER_POLICY: _other_policy,
    Lead.PASSED: _passed,
    Lead.STACK_SET: _stack_set,
    Lead.RUNNING: _running,
}

"""
The table of routes: which policy a path and method fall under.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ctxfy.core.models.auth_models import RoutePolicy, Scope


# Nobody without a key learns what exists and what does not.
_NOWHERE = RoutePolicy(path="", methods=(), scope=Scope.READ)
_SEGMENT = re.compile(r"\{([a-z_]+)(:path)?\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteMatch:
    """
    What a path and method come to.

    Attributes:
        policy: None if there is no such path, or not with this method.
        guard: What a caller must satisfy to learn as much: the policy, or for a wrong method that
            of another method, or for a path that does not exist that of a route that needs a key.
        route: The path's template for logs and labels, or None if there is no such path.
        allowed: The methods the path has.
    """

    policy: RoutePolicy | None
    guard: RoutePolicy
    route: str | None = None
    allowed: tuple[str, ...] = ()


class PolicyTable:
    """
    All routes there are. Paths are compared as they come: no slash is added or taken away.
    """

    def __init__(self, policies: Iterable[RoutePolicy]) -> None:
        self.policies = tuple(policies)
        self._literal: dict[str, list[RoutePolicy]] = {}
        self._patterns: list[tuple[re.Pattern[str], RoutePolicy]] = []
        for policy in self.policies:
            if "{" in policy.path:
                self._patterns.append((_compile(policy.path), policy))
            else:
                self._literal.setdefault(policy.path, []).append(policy)
        # What a route without a template comes to is looked up, for it is the same each time.
        self._matches = {
            (path, method): self._find(path, method)
            for path in self._literal
            for method in (
                "HEAD",
                *(allowed for each in self._literal[path] for allowed in each.methods),
            )
        }

    def match(self, path: str, method: str) -> RouteMatch:
        """
        Find the policy of a request. HEAD is allowed wherever GET is.

        For each method a literal path goes before a template: a prompt that is named like a route
        hides no route, and the route hides nothing but its own methods.
        """
        return self._matches.get((path, method)) or self._find(path, method)

    def _find(self, path: str, method: str) -> RouteMatch:
        found = [
            *self._literal.get(path, ()),
            *(policy for pattern, policy in self._patterns if pattern.fullmatch(path)),
        ]
        if not found:
            return RouteMatch(policy=None, guard=_NOWHERE)
        wanted = "GET" if method == "HEAD" else method
        policy = next((item for item in found if wanted in item.methods), None)
        allowed = tuple(sorted({allowed for item in found for allowed in item.methods}))
        guard = policy or found[0]
        return RouteMatch(policy=policy, guard=guard, route=guard.path, allowed=allowed)


def _compile(path: str) -> re.Pattern[str]:
    pattern, position = "", 0
    for segment in _SEGMENT.finditer(path):
        pattern += re.escape(path[position : segment.start()])
        pattern += ".*" if segment[2] else "[^/]+"
        position = segment.end()
    # A path may hold any character, a line break too.
    return re.compile(pattern + re.escape(path[position:]), re.DOTALL)

"""
The answers to `prompts/list`, written once for all keys that see the same.
"""

from collections.abc import Iterator

from ctxfy.adapters.mcp_prompts.result_forms import ResultForms
from ctxfy.adapters.mcp_prompts.wires import WIRES, Wire
from ctxfy.core.models.auth_models import Principal, Scope
from ctxfy.core.models.catalog_models import Catalog
from ctxfy.core.models.prompt_models import PromptTemplate
from ctxfy.core.ports.prompt_ports import CatalogSnapshot, PromptCatalogPort, PromptQueryPort


MAX_LISTS = 256
MAX_LISTS_BYTES = 64 * 1024 * 1024
"""
The most lists that are kept, and their bytes together; who sees what differs by scope and globs.
"""

type _View = tuple[Wire, Scope, tuple[str, ...]]
type _Entry = tuple[Wire, str, str, tuple[str, ...]]
"""
An entry's wire, name, digest, and the versions that are seen: what its text depends on.
"""


class PromptLists:
    """
    Writes lists out of entries that are written when a set of prompts is loaded.

    Args:
        catalog: The prompts in service.
        queries: Tells what a caller sees of them.
        forms: Writes the entries.
    """

    def __init__(
        self, catalog: PromptCatalogPort, queries: PromptQueryPort, forms: ResultForms
    ) -> None:
        self._catalog = catalog
        self._queries = queries
        self._forms = forms
        self._entries: dict[_Entry, bytes] = {}
        self._lists: dict[_View, bytes] = {}
        self._lists_bytes = 0
        self._listed: Catalog | None = None

    def prepare(self, snapshot: CatalogSnapshot) -> None:
        """
        Write the entries of a set that is to be served; may run in a thread.
        """
        before, entries = self._entries, dict[_Entry, bytes]()
        for template in snapshot.catalog:
            for seen in _ways_to_see(snapshot.catalog, template):
                for wire in WIRES:
                    key = (wire, template.name, template.digest, seen)
                    known = before.get(key)
                    entries[key] = known or self._forms.prompt(wire, template, seen)
        self._entries = entries

    @property
    def entry_count(self) -> int:
        """
        How many entries are written.
        """
        return len(self._entries)

    def written(self, wire: Wire, principal: Principal) -> bytes:
        """
        The result of `prompts/list` for a caller.
        """
        catalog = self._catalog.snapshot().catalog
        if catalog is not self._listed:
            self._forget()
            self._listed = catalog
        view = (wire, principal.scope, principal.prompts)
        found = self._lists.get(view)
        if found is None:
            entries = b",".join(self._seen_by(wire, principal))
            found = self._forms.prompts(wire, entries)
            self._keep(view, found)
        return found

    def _seen_by(self, wire: Wire, principal: Principal) -> Iterator[bytes]:
        for template in self._queries.list_prompts(principal):
            versions = self._queries.list_versions(template.name, principal)
            seen = tuple(item.version for item in versions)
            key = (wire, template.name, template.digest, seen)
            entry = self._entries.get(key)
            if entry is None:
                entry = self._entries[key] = self._forms.prompt(wire, template, seen)
            yield entry

    def _keep(self, view: _View, found: bytes) -> None:
        if len(self._lists) >= MAX_LISTS or self._lists_bytes + len(found) > MAX_LISTS_BYTES:
            self._forget()
        self._lists[view] = found
        self._lists_bytes += len(found)

    def _forget(self) -> None:
        self._lists.clear()
        self._lists_bytes = 0


def _ways_to_see(catalog: Catalog, template: PromptTemplate) -> set[tuple[str, ...]]:
    """
    The versions that keys of each scope see of a prompt; globs look at its name alone.
    """
    versions = catalog.versions(template.name)
    return {
        tuple(item.version for item in versions if scope.covers(item.scope))
        for scope in Scope
        if scope.covers(template.scope)
    }
